/** What git says on the wire, by hand, and what it is answered. */
import { decodePktLine, encodePktLine } from '../../src/git/pkt-line.ts'
import { ask, type RawAnswer } from './raw-http.ts'

export const NO_OID = '0'.repeat(40)
export const FLUSH = Buffer.from('0000')
export const PUSH_CAPABILITIES = 'report-status side-band-64k'

export type Service = 'git-upload-pack' | 'git-receive-pack'

export const pkt = (payload: string | Uint8Array): Buffer => encodePktLine(payload)

/** The first command of a push, which carries the capabilities. */
export function command(
  ref: string | Uint8Array,
  newOid: string,
  oldOid = NO_OID,
  capabilities: string | undefined = PUSH_CAPABILITIES,
): Buffer {
  const tail = capabilities === '' ? '' : `\0${capabilities}`
  return pkt(Buffer.concat([Buffer.from(`${oldOid} ${newOid} `), Buffer.from(ref), Buffer.from(tail)]))
}

export function pushBody(commands: readonly Buffer[], pack: Uint8Array = Buffer.alloc(0)): Buffer {
  return Buffer.concat([...commands, FLUSH, pack])
}

export interface GitPost {
  readonly port: number
  /** `owner/name` */
  readonly repository: string
  readonly service: Service
  readonly body: Uint8Array
  readonly token?: string | undefined
  readonly version?: '0' | '1' | '2' | undefined
  readonly headers?: Readonly<Record<string, string>>
}

export function postHeaders({
  service,
  token,
  version,
  headers,
}: Pick<GitPost, 'service' | 'token' | 'version' | 'headers'>): Record<string, string> {
  return {
    'Content-Type': `application/x-${service}-request`,
    ...(token === undefined ? {} : { Authorization: `Basic ${Buffer.from(`:${token}`).toString('base64')}` }),
    ...(version === undefined || version === '0' ? {} : { 'Git-Protocol': `version=${version}` }),
    ...headers,
  }
}

export async function post(request: GitPost): Promise<GitReply> {
  const { port, repository, service, body } = request
  const path = `/git/${repository}.git/${service}`
  const answer = await ask(port, { method: 'POST', path, headers: postHeaders(request), body })
  return decodeReply(answer)
}

export interface GitReply {
  readonly status: number
  /** Lines of the report, or whatever else was said in lines. */
  readonly lines: readonly string[]
  /** What a person gets to read: an ERR packet, band 3, a sentence, and what the report says. */
  readonly reason: string
}

export function decodeReply(answer: Pick<RawAnswer, 'status' | 'headers' | 'body'>): GitReply {
  const { status, body, headers } = answer
  if (headers.get('content-type')?.startsWith('text/plain') === true || status !== 200) {
    return { status, lines: [], reason: body.toString() }
  }
  const bands: Buffer[][] = [[], [], []]
  const plain: string[] = []
  for (const payload of payloads(body)) {
    const band = bands[(payload[0] ?? 0) - 1]
    if (band === undefined) plain.push(payload.toString())
    else band.push(payload.subarray(1))
  }
  const [first = [], , third = []] = bands
  const data = Buffer.concat(first)
  const lines = [...plain, ...(data.toString('latin1', 0, 4) === 'PACK' ? [] : payloads(data).map(String))]
  return { status, lines, reason: [...lines, ...third.map(String)].join('') }
}

/** @throws ProtocolError where the bytes are no pkt-lines, Error where they end in one */
function payloads(bytes: Buffer): Buffer[] {
  const found: Buffer[] = []
  for (let rest = bytes; rest.length > 0;) {
    const step = decodePktLine(rest)
    if (!step.complete) throw new Error(`The answer ends inside a line: ${bytes.toString('latin1').slice(0, 500)}`)
    if (step.line.type === 'data') found.push(step.line.payload)
    rest = rest.subarray(step.consumedBytes)
  }
  return found
}
