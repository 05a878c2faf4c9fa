import type { GitService } from '../git/protocol/advertisement.ts'

/** A repository whose caller was found to have the right to it. */
export interface RepositoryRef {
  readonly id: string
  readonly owner: string
  readonly name: string
}

export type GitVersion = '0' | '1' | '2'

/** Where the answer goes; nothing of it is sent before `begin`. */
export interface GitAnswer {
  /** The status is out: a failure can only be told in the stream. */
  readonly begun: boolean
  /**
   * Sends the status 200.
   *
   * @param bytes of the whole answer, where they are known
   */
  begin(bytes?: number): void
  /**
   * Sends the pieces one after the other, and waits until they are out of their buffers, which may be used again then.
   *
   * @throws the reason why the client can read no more
   */
  write(...pieces: readonly Buffer[]): Promise<void>
  /** Only if the client keeps up: for what it can do without. */
  writeIfIdle(bytes: Buffer): void
  /**
   * @param last bytes, if there are any left: what is known to be all goes out at once
   * @throws as `write`
   */
  end(last?: Buffer): Promise<void>
}

export interface GitRequest {
  readonly repository: RepositoryRef
  /** Why nobody can push to it here, as the pusher is told. */
  readonly readOnly?: string
  readonly service: GitService
  readonly version: GitVersion
  /** Decompressed: all of it where it is here already, else as it comes. */
  readonly body: AsyncIterable<Buffer> | Buffer
  readonly answer: GitAnswer
  readonly userId: string | null
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal
}

/** How long each kind of work may stand still, and how much of it there may be. */
export interface TransferLimits {
  readonly requestBytesMax: number
  readonly progressTimeoutMs: number
  readonly packObjectsMax: number
  readonly objectBytesMax: number
  readonly packInflatedBytesMax: number
  readonly deltaDepthMax: number
  readonly pushCommandsMax: number
  readonly wantsMax: number
  readonly havesMax: number
  readonly advertisedRefsMax: number
}
