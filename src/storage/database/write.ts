/** The language between the database's clients and its one writer, which lives in a worker thread. */

export interface Statement {
  readonly sql: string
  readonly parameters: readonly unknown[]
  /** The statement must change exactly so many rows, else the whole write is undone: this is the compare of compare-and-swap. */
  readonly expectChanges?: number
}

export interface WriteRequest {
  readonly id: number
  readonly statements: readonly Statement[]
}

export type WriteOutcome =
  | { readonly committed: true }
  /** Statement number `failedStatement` did not change the rows it had to; nothing was written. */
  | { readonly committed: false; readonly failedStatement: number }

export type WriteReply =
  | { readonly id: number; readonly outcome: WriteOutcome }
  | { readonly id: number; readonly error: WriteFailure }

export interface WriteFailure {
  readonly message: string
  readonly constraint: boolean
  /** Certainly nothing was written. */
  readonly undone: boolean
}
