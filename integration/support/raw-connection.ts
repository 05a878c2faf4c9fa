/** A connection by hand, for what takes several steps: requests one after another, in pieces, or never finished. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
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
  /** Grows by doubling: a clone comes in hundreds of pieces. */
  #buffer = Buffer.alloc(64 * 1024)
  #start = 0
  #end = 0
  #ended = false

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#append(chunk))
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

  get #received(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end)
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
    this.#start += headEnd + HEAD_END.length
    const headers = new Map(
      lines.map((line) => [line.split(':', 1)[0]?.toLowerCase() ?? '', line.replace(/^.*?: ?/, '')]),
    )
    const status = Number(first.split(' ')[1])
    const bodyless = of === 'HEAD' || status === 100 || status === 204
    return { status, headers, body: bodyless ? Buffer.alloc(0) : await this.#body(headers) }
  }

  /** Resolves when the kernel has taken all that was sent. */
  async flushed(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#socket.write('', () => resolve())
    await promise
  }

  /** Waits for bytes until `condition` holds. @throws Error where the server closes before that */
  async received(condition: () => boolean): Promise<void> {
    await this.#until(() => (condition() ? 0 : -1))
  }

  /** Reads in small sips until the server closes. */
  async readSlowly({ bytes, everyMs }: { bytes: number; everyMs: number }): Promise<void> {
    for (let target = this.#received.length + bytes; !this.#ended; target += bytes) {
      this.#socket.resume()
      while (!this.#ended && this.#received.length < target)
        await Promise.race([once(this.#socket, 'data'), this.#closed])
      this.#socket.pause()
      if (!this.#ended) await delay(everyMs)
      if (this.#socket.readableEnded) this.#socket.resume()
    }
  }

  /** Stops reading: the kernel's buffers fill up, and then the server's. */
  stopReading(): void {
    this.#socket.pause()
  }

  readOn(): void {
    this.#socket.resume()
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

  #append(chunk: Buffer): void {
    if (this.#end + chunk.length > this.#buffer.length) {
      const bigger = Buffer.alloc(2 * (this.#end + chunk.length))
      this.#buffer.copy(bigger, 0, 0, this.#end)
      this.#buffer = bigger
    }
    this.#end += chunk.copy(this.#buffer, this.#end)
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
    this.#start += bytes
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
