import { connect, type Socket } from 'node:net'

/** A request that is at work until its body is completed: what a drain has to wait for. */
export class HeldRequest implements Disposable {
  readonly #socket: Socket
  readonly #rest: string
  readonly #closed: Promise<void>
  #received = ''

  private constructor(socket: Socket, rest: string) {
    this.#socket = socket
    this.#rest = rest
    socket.setEncoding('utf8').on('data', (text: string) => (this.#received += text))
    socket.on('error', () => {})
    this.#closed = new Promise((resolve) => socket.once('close', () => resolve()))
  }

  /** Sends a POST of JSON whose last byte is missing; resolves once the server has begun with it. */
  static async begin(port: number, path: string, token: string, body: unknown): Promise<HeldRequest> {
    const text = JSON.stringify(body)
    const socket = connect(port, '127.0.0.1')
    const held = new HeldRequest(socket, text.slice(-1))
    const headers = [
      `POST ${path} HTTP/1.1`,
      'Host: guts.test',
      `Authorization: Bearer ${token}`,
      'Content-Type: application/json',
      `Content-Length: ${text.length}`,
      'Expect: 100-continue',
    ]
    socket.write(`${headers.join('\r\n')}\r\n\r\n`)
    // The server asks for the body only when it has looked at the request.
    await new Promise<void>((resolve, reject) => {
      socket.once('data', () => resolve())
      socket.once('close', () => reject(new Error('The server hung up')))
    })
    socket.write(text.slice(0, -1))
    return held
  }

  /** Sends what is missing. @returns all that the server sent until it closed the connection */
  async finish(): Promise<string> {
    this.#socket.write(this.#rest)
    await this.#closed
    return this.#received
  }

  /** All that came so far. */
  get received(): string {
    return this.#received
  }

  async closed(): Promise<string> {
    await this.#closed
    return this.#received
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }
}
