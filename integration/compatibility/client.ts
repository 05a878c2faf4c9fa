/** What every client is asked for, in one form, and what it answers. */
import type { FindToolOptions } from '../../harness/tools.ts'

/** One operation. What a client has no means for, it says it lacks. */
export interface ClientRequest {
  /** `show` prints an object of the clone, and fetches it where it is missing. */
  readonly verb: 'ls-remote' | 'clone' | 'fetch' | 'push' | 'show'
  /** Without credentials. Fetches go to the remote `origin` of the folder, which is the same. */
  readonly url: string
  readonly username: string
  readonly password: string
  /** The clone that is made, or what is fetched into and pushed from. */
  readonly folder: string
  /** Of the protocol; else the client's own choice. */
  readonly version?: '0' | '1' | '2'
  readonly bare?: true
  /** The one branch that is cloned or fetched, by its short name. */
  readonly branch?: string
  /** Whether all tags are fetched; else those that the client takes along. */
  readonly allTags?: true
  readonly depth?: number
  readonly sinceS?: number
  readonly exclude?: string
  /** Commits below those where history ends. */
  readonly deepen?: number
  readonly unshallow?: true
  readonly filter?: string
  /** An object that is fetched, or shown. */
  readonly oid?: string
  /** `SOURCE:REF` to push, with a plus where it is forced; `:REF` is a deletion. */
  readonly refs?: readonly string[]
  readonly atomic?: true
  readonly pushOptions?: readonly string[]
  readonly serverOptions?: readonly string[]
  readonly sessionId?: true
  readonly progress?: true
}

export type Answer =
  /** `refs` are those that were listed, `content` is what was shown. */
  | { readonly outcome: 'done'; readonly refs?: Readonly<Record<string, string>>; readonly content?: string }
  /** The host said no, or the client itself. */
  | { readonly outcome: 'refused'; readonly said: string }
  /** The client has no such feature. */
  | { readonly outcome: 'lacks'; readonly said: string }

export interface OpenClient {
  readonly version: string
  ask(request: ClientRequest): Promise<Answer>
}

export interface Client {
  readonly name: string
  /** In half a sentence, for the page. */
  readonly what: string
  /** Files that its answers depend on, in this folder. */
  readonly sources: readonly string[]
  /** @throws ToolMissingError with how to get what it needs */
  open(options: FindToolOptions): Promise<OpenClient>
}
