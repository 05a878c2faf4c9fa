/** HTTP without the work of a client: node:http would spend more on reading than the hosts on sending. */
import { connect, type Socket } from 'node:net'

export interface RawAsk {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers: readonly string[]
  readonly body: readonly Buffer[]
  /** Gets what the answer's body consists of, as it comes: views that hold until it returns. */
  readonly take?: (bytes: Buffer) => void
}

/** Small enough to stay in a processor's cache. */
const READ_BYTES = 256 * 1024
const HEAD_END = '\r\n\r\n'
const CHUNKED_END = '0\r\n\r\n'

/** One connection that is kept alive, and reads into one buffer again and again. */
export class RawExchange {
  readonly #host: { readonly hostname: string; readonly port: number }
  readonly #buffer = Buffer.alloc(READ_BYTES)
  #socket: Socket | undefined
  #onBytes: (bytes: Buffer) => void = () => {}
  #onEnd: (error: Error) => void = () => {}

  constructor({ hostname, port }: URL) {
    this.#host = { hostname, port: Number(port) }
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  /** @returns bytes of the answer's body, the framing of chunks included. @throws Error where it is no 200 */
  async ask({ method, path, headers, body, take }: RawAsk): Promise<number> {
    const socket = (this.#socket ??= await this.#connect())
    const length = body.reduce((sum, part) => sum + part.length, 0)
    const { hostname, port } = this.#host
    const head = [
      `${method} ${path} HTTP/1.1`,
      `Host: ${hostname}:${port}`,
      ...(method === 'POST' ? [`Content-Length: ${length}`] : []),
      ...headers,
    ]
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; bytes: number; said: string }>()
    this.#onEnd = reject
    const reader = new AnswerReader(take, resolve)
    this.#onBytes = (bytes) => reader.take(bytes)
    socket.cork()
    socket.write(`${head.join('\r\n')}${HEAD_END}`)
    for (const part of body) socket.write(part)
    socket.uncork()
    const { status, bytes, said } = await promise
    if (status !== 200) throw new Error(`${method} ${path}: ${status} ${said}`)
    return bytes
  }

  async #connect(): Promise<Socket> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const socket = connect({
      host: this.#host.hostname,
      port: this.#host.port,
      onread: {
        buffer: this.#buffer,
        callback: (count) => {
          this.#onBytes(this.#buffer.subarray(0, count))
          return true
        },
      },
    })
    socket.setNoDelay(true)
    socket.once('connect', resolve)
    socket.once('error', (error) => {
      reject(error)
      this.#onEnd(error)
    })
    socket.once('close', () => {
      // Between two questions it may: the next one goes over a new connection.
      if (this.#socket === socket) this.#socket = undefined
      this.#onEnd(new Error('The host closed the connection'))
    })
    await promise
    return socket
  }
}

/** Reads one answer as far as it takes to know where it ends. */
class AnswerReader {
  readonly #resolve: (answer: { status: number; bytes: number; said: string }) => void
  readonly #give: ((bytes: Buffer) => void) | undefined
  #head: Buffer = Buffer.alloc(0)
  #status = 0
  #said = ''
  /** undefined: it comes in chunks. */
  #length: number | undefined
  #bytes = 0
  #tail = ''

  constructor(
    give: ((bytes: Buffer) => void) | undefined,
    resolve: (answer: { status: number; bytes: number; said: string }) => void,
  ) {
    this.#give = give
    this.#resolve = resolve
  }

  take(bytes: Buffer): void {
    if (this.#status !== 0) return this.#takeBody(bytes)
    // Mostly the whole head, and what follows it is not to be copied.
    const all = this.#head.length === 0 ? bytes : Buffer.concat([this.#head, bytes])
    const end = all.indexOf(HEAD_END)
    if (end < 0) {
      this.#head = Buffer.from(all)
      return
    }
    const head = all.toString('latin1', 0, end)
    this.#status = Number(head.slice(9, 12))
    const length = /^content-length: ([0-9]+)/im.exec(head)?.[1]
    this.#length = length === undefined ? undefined : Number(length)
    this.#takeBody(all.subarray(end + HEAD_END.length))
  }

  #takeBody(bytes: Buffer): void {
    this.#bytes += bytes.length
    if (this.#status === 200) this.#give?.(bytes)
    else this.#said += bytes.toString()
    this.#tail = (this.#tail + bytes.toString('latin1', Math.max(0, bytes.length - CHUNKED_END.length))).slice(
      -CHUNKED_END.length,
    )
    const ended = this.#length === undefined ? this.#tail === CHUNKED_END : this.#bytes >= this.#length
    if (ended) this.#resolve({ status: this.#status, bytes: this.#bytes, said: this.#said })
  }
}
