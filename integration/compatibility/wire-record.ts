/** A proxy before a host that keeps what went through: what a client really asked for, and was answered. */
import { createServer, request as forward, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'

export interface Exchange {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** As they came. */
  readonly requestChunks: Buffer[]
  readonly responseChunks: Buffer[]
}

/** What a web server in front of C git asks for; a node asks by itself. */
export interface Guard {
  readonly username: string
  readonly password: string
  readonly of: 'pushes' | 'everything'
}

export class WireRecord implements AsyncDisposable {
  readonly exchanges: Exchange[] = []
  readonly #server: ReturnType<typeof createServer>

  private constructor(origin: string, guard: Guard | undefined) {
    this.#server = createServer((request, response) => {
      const { method = 'GET', url: path = '/', headers } = request
      const exchange: Exchange = { method, path, headers, requestChunks: [], responseChunks: [] }
      this.exchanges.push(exchange)
      if (guard !== undefined && isRefused(guard, path, headers.authorization)) {
        request.resume()
        response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="twin"' }).end()
        return
      }
      const { connection: _connection, expect: _expect, ...passed } = headers
      const forwarded = forward(`${origin}${path}`, { method, headers: passed, agent: false }, (answer) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers)
        answer.on('data', (chunk: Buffer) => exchange.responseChunks.push(chunk))
        answer.on('error', () => response.destroy())
        answer.pipe(response)
      })
      forwarded.on('error', () => response.destroy())
      response.on('close', () => forwarded.destroy())
      request.on('data', (chunk: Buffer) => exchange.requestChunks.push(chunk))
      request.pipe(forwarded)
    })
  }

  static async before(origin: string, guard?: Guard): Promise<WireRecord> {
    const record = new WireRecord(origin, guard)
    const { promise, resolve } = Promise.withResolvers<void>()
    record.#server.listen(0, '127.0.0.1', resolve)
    await promise
    return record
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Whether a request to do something holds these bytes, compressed or not. */
  asked(text: string): boolean {
    return this.posts().some((exchange) => requestOf(exchange).includes(text))
  }

  answered(pattern: RegExp): boolean {
    return this.exchanges.some(({ responseChunks }) => pattern.test(Buffer.concat(responseChunks).toString('latin1')))
  }

  posts(): Exchange[] {
    return this.exchanges.filter(({ method }) => method === 'POST')
  }

  /** The version of the protocol that the host answered in. */
  version(): '0' | '1' | '2' {
    if (this.answered(/000eversion 2\n/)) return '2'
    return this.answered(/000eversion 1\n/) ? '1' : '0'
  }

  /** What was pushed last, from its first byte to the end of the request. */
  pack(): Buffer | undefined {
    const bodies = this.posts().map(requestOf)
    const body = bodies.findLast((one) => one.includes('PACK\0\0\0\x02'))
    return body?.subarray(body.indexOf('PACK\0\0\0\x02'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    this.#server.closeAllConnections()
    await promise
  }
}

function requestOf({ headers, requestChunks }: Exchange): Buffer {
  const body = Buffer.concat(requestChunks)
  return headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body
}

function isRefused({ username, password, of }: Guard, path: string, given: string | undefined): boolean {
  if (of === 'pushes' && !path.includes('git-receive-pack')) return false
  return given !== `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}
