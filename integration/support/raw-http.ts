/** HTTP by hand: whatever bytes a test wants to send, and what came back counted to the byte. */
import { connect } from 'node:net'

export interface RawAnswer {
  /** 0: the connection was closed without an answer. */
  readonly status: number
  readonly head: string
  readonly headers: ReadonlyMap<string, string>
  /** As it passed the wire, chunk headers aside; still compressed, if it was. */
  readonly body: Buffer
  /** Everything, as it came. */
  readonly bytes: Buffer
}

export interface RawRequest {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** One request on a connection of its own. */
export function ask(port: number, request: RawRequest): Promise<RawAnswer> {
  return exchange(port, encodeRequest(request))
}

export function encodeRequest({ method = 'GET', path, headers = {}, body }: RawRequest): Buffer {
  const bytes = Buffer.from(body ?? '')
  const all: Record<string, string> = {
    Host: 'guts.test',
    Connection: 'close',
    ...(body === undefined ? {} : { 'Content-Length': String(bytes.length) }),
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`), bytes])
}

/** Sends bytes, and reads until the server closes the connection. */
export function exchange(port: number, bytes: Uint8Array): Promise<RawAnswer> {
  const { promise, resolve } = Promise.withResolvers<RawAnswer>()
  const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  // A refusal may cut off what is still being sent; what came before that is the answer.
  socket.on('error', () => {})
  socket.once('close', () => resolve(decodeAnswer(Buffer.concat(chunks))))
  return promise
}

const HEAD_END = '\r\n\r\n'

function decodeAnswer(bytes: Buffer): RawAnswer {
  const end = bytes.indexOf(HEAD_END)
  if (end < 0) return { status: 0, head: '', headers: new Map(), body: Buffer.alloc(0), bytes }
  const head = bytes.toString('latin1', 0, end)
  const [first = '', ...lines] = head.split('\r\n')
  const status = Number(first.split(' ')[1])
  const rest = bytes.subarray(end + HEAD_END.length)
  if (status === 100) return { ...decodeAnswer(rest), bytes }
  const headers = new Map(
    lines.map((line) => [line.split(':', 1)[0]?.toLowerCase() ?? '', line.replace(/^.*?: ?/, '')]),
  )
  return { status, head, headers, body: headers.get('transfer-encoding') === 'chunked' ? unchunk(rest) : rest, bytes }
}

function unchunk(bytes: Buffer): Buffer {
  const chunks: Buffer[] = []
  for (let rest = bytes; ;) {
    const lineEnd = rest.indexOf('\r\n')
    const size = lineEnd < 0 ? 0 : Number(`0x${rest.toString('latin1', 0, lineEnd)}`)
    if (size === 0) return Buffer.concat(chunks)
    const start = lineEnd + 2
    chunks.push(rest.subarray(start, start + size))
    rest = rest.subarray(start + size + 2)
  }
}
