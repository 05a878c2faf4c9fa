/** Who asks, as far as the node knows; nobody is `undefined`. */
export interface Caller {
  readonly userId: string
  readonly username: string
  readonly admin: boolean
  readonly tokenId: string
}

/** Answers whose token it is; `undefined` for a token that is unknown, revoked or expired. */
export type Authenticate = (token: string, signal: AbortSignal) => Promise<Caller | undefined>
