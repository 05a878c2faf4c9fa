import type { ServerResponse } from 'node:http'
import { RequestError } from '../errors.ts'
import type { GitAnswer } from '../transfer/git-request.ts'
import { ClientLeftError } from './request-state.ts'

/** As C git's http-backend sends them: an answer about refs is true only now. */
const HEADERS = {
  'Cache-Control': 'no-cache, max-age=0, must-revalidate',
  Expires: 'Fri, 01 Jan 1980 00:00:00 GMT',
  Pragma: 'no-cache',
} as const

/** The answer to a git request on the raw response, at the pace of the client. */
export class HttpGitAnswer implements GitAnswer {
  readonly #response: ServerResponse
  readonly #contentType: string
  readonly #timeoutMs: number

  /** @param timeoutMs the longest time in which the client takes nothing */
  constructor(response: ServerResponse, contentType: string, timeoutMs: number) {
    this.#response = response
    this.#contentType = contentType
    this.#timeoutMs = timeoutMs
  }

  get begun(): boolean {
    return this.#response.headersSent
  }

  begin(bytes?: number): void {
    if (this.begun) return
    const length = bytes === undefined ? {} : { 'Content-Length': String(bytes) }
    this.#response.writeHead(200, { ...HEADERS, 'Content-Type': this.#contentType, ...length })
  }

  async write(...pieces: readonly Buffer[]): Promise<void> {
    const filled = pieces.filter(({ length }) => length > 0)
    const last = filled.pop()
    if (last === undefined) return
    await this.#inTime((done) => {
      // In one system call, and nothing is copied to make one piece of them.
      this.#response.cork()
      for (const piece of filled) this.#response.write(piece)
      this.#response.write(last, done)
      this.#response.uncork()
    })
  }

  writeIfIdle(bytes: Buffer): void {
    if (!this.#response.destroyed && !this.#response.writableNeedDrain) this.#response.write(bytes)
  }

  /** What is still on its way then has its own bound (app.ts), and the connection its own for being idle. */
  async end(last?: Buffer): Promise<void> {
    if (last === undefined || last.length === 0) await this.#settled((done) => this.#response.end(done))
    else await this.#inTime((done) => this.#response.end(last, done))
  }

  /** @throws RequestError timeout: the client takes nothing */
  async #inTime(start: (done: (error?: Error | null) => void) => void): Promise<void> {
    const settled = this.#settled(start)
    // The kernel has all of it already, as with most small answers: nobody is waited for.
    if (this.#response.writableLength === 0) return settled
    const { socket } = this.#response
    const { promise: late, reject } = Promise.withResolvers<never>()
    const stalled = (): void =>
      reject(new RequestError({ code: 'timeout' }, `The client read nothing for ${this.#timeoutMs / 1_000} s`))
    // Node's own timeout of a socket starts anew with every byte that the client takes, also within one write.
    this.#response.once('timeout', stalled)
    socket?.setTimeout(this.#timeoutMs)
    try {
      await Promise.race([late, settled])
    } finally {
      socket?.setTimeout(0)
      this.#response.removeListener('timeout', stalled)
    }
  }

  /** @throws ClientLeftError */
  #settled(start: (done: (error?: Error | null) => void) => void): Promise<void> {
    if (this.#response.destroyed) return Promise.reject(new ClientLeftError('The client left'))
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const gone = (): void => reject(new ClientLeftError('The client left'))
    this.#response.once('close', gone)
    start((error) => {
      // At once: an answer that is finished closes in this very turn, and that is no leaving.
      this.#response.removeListener('close', gone)
      if (error === undefined || error === null) resolve()
      else gone()
    })
    return promise
  }
}
