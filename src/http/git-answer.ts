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

  begin(bytes?: number): void {
    if (this.begun) return
    const length = bytes === undefined ? {} : { 'Content-Length': String(bytes) }
    this.#response.writeHead(200, { ...HEADERS, 'Content-Type': this.#contentType, ...length })
  }

  async write(bytes: Buffer): Promise<void> {
    if (bytes.length === 0) return
    this.#throwIfGone()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const gone = (): void => reject(new ClientLeftError('The client left'))
    this.#response.once('close', gone)
    this.#response.write(bytes, (error) => (error === undefined || error === null ? resolve() : gone()))
    try {
      await promise
    } finally {
      this.#response.removeListener('close', gone)
    }
  }

  writeIfIdle(bytes: Buffer): void {
    if (!this.#response.destroyed && !this.#response.writableNeedDrain) this.#response.write(bytes)
  }

  async end(): Promise<void> {
    this.#throwIfGone()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const gone = (): void => reject(new ClientLeftError('The client left'))
    this.#response.once('close', gone)
    this.#response.end(resolve)
    try {
      await promise
    } finally {
      this.#response.removeListener('close', gone)
    }
  }

  #throwIfGone(): void {
    if (this.#response.destroyed) throw new ClientLeftError('The client left')
  }
}
