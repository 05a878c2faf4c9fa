/** A connection by hand, for what takes several steps: requests one after another, in pieces, or never finished. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type RawRequest, encodeRequest } from './raw-http.ts'

export interface Answered {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
}

const HEAD_END = '\r\n\r\n'

export class RawConnection implements Disposable {
  readonly #socket: Socket
  readonly #closed: Promise<void>
  #received = Buffer.alloc(0)
  #ended = false

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => (this.#received = Buffer.concat([this.#received, chunk])))
    // A cut is an outcome, too: the tests look at what had come before.
    socket.on('error', () => {})
    this.#closed = new Promise((resolve) =>
      socket.once('close', () => {
        this.#ended = true
        resolve()
      }),
    )
  }

  static async open(port: number): Promise<RawConnection> {
    const connection = new RawConnection(connect(port, '127.0.0.1'))
    await once(connection.#socket, 'connect')
    return connection
  }

  send(bytes: string | Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** Keeps the connection, unless the headers say otherwise. */
  request(request: RawRequest): void {
    this.send(encodeRequest({ ...request, headers: { Connection: 'keep-alive', ...request.headers } }))
  }

  /** What came and was not asked for yet. */
  get pending(): Buffer {
    return this.#received
  }

  /** @param of the request: an answer to HEAD has no body, whatever its length says */
  async answer(of: 'GET' | 'HEAD' | 'POST' = 'GET'): Promise<Answered> {
    const headEnd = await this.#until(() => this.#received.indexOf(HEAD_END))
    const [first = '', ...lines] = this.#received.toString('latin1', 0, headEnd).split('\r\n')
    this.#received = this.#received.subarray(headEnd + HEAD_END.length)
    const headers = new Map(
      lines.map((line) => [line.split(':', 1)[0]?.toLowerCase() ?? '', line.replace(/^.*?: ?/, '')]),
    )
    const status = Number(first.split(' ')[1])
    const bodyless = of === 'HEAD' || status === 100 || status === 204
    return { status, headers, body: bodyless ? Buffer.alloc(0) : await this.#body(headers) }
  }

  /** Stops reading: the kernel's buffers fill up, and then the server's. */
  stopReading(): void {
    this.#socket.pause()
  }

  closed(): Promise<void> {
    return this.#closed
  }

  /** Goes without a word, as a client does whose network is gone. */
  vanish(): void {
    this.#socket.resetAndDestroy()
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  async #body(headers: ReadonlyMap<string, string>): Promise<Buffer> {
    if (headers.get('transfer-encoding') === 'chunked') return this.#chunks()
    return this.#take(Number(headers.get('content-length') ?? 0))
  }

  async #chunks(): Promise<Buffer> {
    const chunks: Buffer[] = []
    for (;;) {
      const lineEnd = await this.#until(() => this.#received.indexOf('\r\n'))
      const size = Number(`0x${this.#received.toString('latin1', 0, lineEnd)}`)
      await this.#take(lineEnd + 2)
      chunks.push(await this.#take(size))
      await this.#take(2)
      if (size === 0) return Buffer.concat(chunks)
    }
  }

  async #take(bytes: number): Promise<Buffer> {
    await this.#until(() => (this.#received.length >= bytes ? 0 : -1))
    const taken = this.#received.subarray(0, bytes)
    this.#received = this.#received.subarray(bytes)
    return taken
  }

  /** @throws Error where the server closes before `find` is satisfied */
  async #until(find: () => number): Promise<number> {
    for (;;) {
      const found = find()
      if (found >= 0) return found
      if (this.#ended) throw new Error(`The server closed after: ${this.#received.toString('latin1').slice(0, 500)}`)
      await Promise.race([once(this.#socket, 'data'), this.#closed])
    }
  }
}
