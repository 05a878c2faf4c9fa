/** A git client without the work of one: speaks the protocol, reads the answer and drops it, so that hosts are measured. */
import { connect, type Socket } from 'node:net'
import { encodePktLine, DELIM, FLUSH } from '../src/git/pkt-line.ts'

export interface Target {
  /** Of the repository, without credentials. */
  readonly url: string
  readonly authorization?: string
}

interface Answer {
  readonly status: number
  /** Empty unless it was to be kept. */
  readonly body: Buffer
  readonly bytes: number
}

/** Small enough to stay in a processor's cache. */
const READ_BYTES = 256 * 1024
const HEAD_END = '\r\n\r\n'
const CHUNKED_END = '0\r\n\r\n'

/**
 * One connection that is kept alive. It reads into one buffer again and again: node:http would spend more on reading
 * than the hosts on sending.
 */
export class RawClient {
  readonly #target: Target
  readonly #url: URL
  readonly #buffer = Buffer.alloc(READ_BYTES)
  #socket: Socket | undefined
  #onBytes: (bytes: Buffer) => void = () => {}
  #onEnd: (error: Error) => void = () => {}

  constructor(target: Target) {
    this.#target = target
    this.#url = new URL(target.url)
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  /** Protocol 2, as `git ls-remote` asks. @returns the answer */
  async lsRefs(): Promise<string> {
    const args = ['peel\n', 'symrefs\n', 'ref-prefix refs/heads/\n', 'ref-prefix refs/tags/\n', 'ref-prefix HEAD\n']
    const lines = [encodePktLine('command=ls-refs\n'), encodePktLine('object-format=sha1\n'), DELIM]
    const body = Buffer.concat([...lines, ...args.map((arg) => encodePktLine(arg)), FLUSH])
    return (await this.#post('git-upload-pack', [body], 'keep')).body.toString('latin1')
  }

  /** Everything, as a first `git clone` asks for it. @returns bytes of the answer */
  async clone(): Promise<number> {
    await this.#send('GET', '/info/refs?service=git-upload-pack', [], [], 'keep')
    const listed = await this.lsRefs()
    const oids = new Set(Array.from(listed.matchAll(/[0-9a-f]{4}([0-9a-f]{40}) /g), ([, oid = '']) => oid))
    return this.fetch(Array.from(oids, (oid) => `want ${oid}`))
  }

  /** A fetch in one round. @param lines what is wanted and had. @returns bytes of the answer */
  async fetch(lines: readonly string[]): Promise<number> {
    const args = ['thin-pack', 'no-progress', 'include-tag', 'ofs-delta', ...lines, 'done']
    const body = Buffer.concat([
      encodePktLine('command=fetch\n'),
      encodePktLine('object-format=sha1\n'),
      DELIM,
      ...args.map((line) => encodePktLine(`${line}\n`)),
      FLUSH,
    ])
    return (await this.#post('git-upload-pack', [body], 'drop')).bytes
  }

  /** @throws Error what the host said, where it refused */
  async push(ref: string, oid: string, pack: Buffer): Promise<void> {
    const capabilities = 'report-status side-band-64k object-format=sha1 agent=bench'
    const command = encodePktLine(`${'0'.repeat(40)} ${oid} ${ref}\0${capabilities}`)
    const { body } = await this.#post('git-receive-pack', [Buffer.concat([command, FLUSH]), pack], 'keep')
    const report = body.toString('latin1')
    if (!report.includes('unpack ok') || !report.includes(`ok ${ref}`)) throw new Error(`The push failed: ${report}`)
  }

  #post(service: string, body: readonly Buffer[], what: 'keep' | 'drop'): Promise<Answer> {
    return this.#send('POST', `/${service}`, [`Content-Type: application/x-${service}-request`], body, what)
  }

  async #send(
    method: string,
    path: string,
    headers: readonly string[],
    body: readonly Buffer[],
    what: 'keep' | 'drop',
  ): Promise<Answer> {
    const socket = (this.#socket ??= await this.#connect())
    const length = body.reduce((sum, part) => sum + part.length, 0)
    const { authorization } = this.#target
    const head = [
      `${method} ${this.#url.pathname}${path} HTTP/1.1`,
      `Host: ${this.#url.host}`,
      'Git-Protocol: version=2',
      ...(method === 'POST' ? [`Content-Length: ${length}`] : []),
      ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
      ...headers,
    ]
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    this.#onEnd = reject
    const reader = new AnswerReader(what === 'keep', resolve)
    this.#onBytes = (bytes) => reader.take(bytes)
    socket.cork()
    socket.write(`${head.join('\r\n')}${HEAD_END}`)
    for (const part of body) socket.write(part)
    socket.uncork()
    const answer = await promise
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${answer.body.toString()}`)
    return answer
  }

  async #connect(): Promise<Socket> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const socket = connect({
      host: this.#url.hostname,
      port: Number(this.#url.port),
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
    socket.once('close', () => this.#onEnd(new Error('The host closed the connection')))
    await promise
    return socket
  }
}

/** Reads one answer as far as it takes to know where it ends. */
class AnswerReader {
  readonly #resolve: (answer: Answer) => void
  readonly #keep: boolean
  readonly #kept: Buffer[] = []
  #head = ''
  #status = 0
  /** undefined: it comes in chunks. */
  #length: number | undefined
  #bytes = 0
  #tail = ''

  constructor(keep: boolean, resolve: (answer: Answer) => void) {
    this.#keep = keep
    this.#resolve = resolve
  }

  take(bytes: Buffer): void {
    if (this.#status !== 0) return this.#takeBody(bytes)
    this.#head += bytes.toString('latin1')
    const end = this.#head.indexOf(HEAD_END)
    if (end < 0) return
    this.#status = Number(this.#head.slice(9, 12))
    const length = /^content-length: ([0-9]+)/im.exec(this.#head.slice(0, end))?.[1]
    this.#length = length === undefined ? undefined : Number(length)
    this.#takeBody(Buffer.from(this.#head.slice(end + HEAD_END.length), 'latin1'))
  }

  #takeBody(bytes: Buffer): void {
    this.#bytes += bytes.length
    if (this.#keep || this.#status !== 200) this.#kept.push(Buffer.from(bytes))
    this.#tail = (this.#tail + bytes.toString('latin1', Math.max(0, bytes.length - CHUNKED_END.length))).slice(
      -CHUNKED_END.length,
    )
    const ended = this.#length === undefined ? this.#tail === CHUNKED_END : this.#bytes >= this.#length
    if (ended) this.#resolve({ status: this.#status, body: Buffer.concat(this.#kept), bytes: this.#bytes })
  }
}
