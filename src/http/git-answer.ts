import type { ServerResponse } from 'node:http'
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

  constructor(response: ServerResponse, contentType: string) {
    this.#response = response
    this.#contentType = contentType
  }

  get begun(): boolean {
    return this.#response.headersSent
  }

  begin(): void {
    if (!this.begun) this.#response.writeHead(200, { ...HEADERS, 'Content-Type': this.#contentType })
  }

  async write(bytes: Buffer): Promise<void> {
    if (bytes.length === 0) return
    this.#throwIfGone()
    if (!this.#response.write(bytes)) await this.#event('drain')
  }

  writeIfIdle(bytes: Buffer): void {
    if (!this.#response.destroyed && !this.#response.writableNeedDrain) this.#response.write(bytes)
  }

  async end(): Promise<void> {
    this.#throwIfGone()
    const finished = this.#event('finish')
    this.#response.end()
    await finished
  }

  #throwIfGone(): void {
    if (this.#response.destroyed) throw new ClientLeftError('The client left')
  }

  async #event(name: 'drain' | 'finish'): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const gone = (): void => reject(new ClientLeftError('The client left'))
    this.#response.once(name, resolve)
    this.#response.once('close', gone)
    try {
      await promise
    } finally {
      this.#response.removeListener(name, resolve)
      this.#response.removeListener('close', gone)
    }
  }
}
