import type { Branch } from './branches.ts'

/** What `cover-worker.ts` is asked, and what it says. */

export interface CoverJob {
  readonly root: string
  /** Relative to it. */
  readonly modules: readonly string[]
  /** Inputs are made by who asks: to make them runs shipped code, too. */
  readonly targets: readonly { readonly path: string; readonly inputs: readonly Uint8Array[] }[]
  /** Whether it matters what each input takes. */
  readonly isEach: boolean
}

export interface CoverReport {
  /** By module. */
  readonly branches: Readonly<Record<string, readonly Branch[]>>
  /** Numbers of branches, by module: of all inputs, or of each one, target by target. */
  readonly taken: readonly Readonly<Record<string, readonly number[]>>[]
}
