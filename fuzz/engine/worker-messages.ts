import type { DrivenCoverage } from './coverage.ts'

/** What `worker.ts` is asked, and what it says. */

export type Job =
  | {
      readonly type: 'replay'
      readonly bundle: string
      readonly inputs: readonly Uint8Array[]
      readonly root: string
      readonly memoryMbMax: number
    }
  | {
      readonly type: 'minimise'
      readonly bundle: string
      readonly input: Uint8Array
      readonly root: string
      readonly attemptsMax: number
    }

export type Report =
  /** Said before the input is tried: whoever hears no more knows which one it was. */
  | { readonly type: 'trying'; readonly index: number }
  | { readonly type: 'failed'; readonly index: number; readonly failure: Failure }
  /** All inputs were tried; what follows is the coverage. */
  | { readonly type: 'tried' }
  | { readonly type: 'smaller'; readonly input: Uint8Array }
  | { readonly type: 'done'; readonly coverage?: DrivenCoverage }

export interface Failure {
  /** The same for two inputs that fail in the same way: the error, and the line that threw it. */
  readonly signature: string
  readonly message: string
}
