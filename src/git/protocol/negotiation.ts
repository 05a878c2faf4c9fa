/**
 * What a fetch is answered before its pack: which of the client's commits we have, and whether that is enough
 * (gitprotocol-pack, "Packfile Negotiation"; gitprotocol-v2, "fetch"; the order is that of C git's upload-pack.c).
 */
import { DELIM, encodePktLine, FLUSH } from '../pkt-line.ts'
import type { UploadRequest } from './upload-request.ts'
import type { FetchV2Request } from './v2-commands.ts'

export interface Negotiated {
  readonly answer: Buffer
  /** The pack follows; else the answer ends here and the client asks again. */
  readonly packFollows: boolean
}

/**
 * @param common which of `request.haves` are here, in their order
 * @param ready everything wanted reaches something in common
 */
export function negotiateV0(
  request: Pick<UploadRequest, 'haves' | 'capabilities' | 'done'>,
  common: ReadonlySet<string>,
  ready: boolean,
): Negotiated {
  const detailed = request.capabilities.has('multi_ack_detailed')
  const multiAck = detailed || request.capabilities.has('multi_ack')
  const lines: Buffer[] = []
  const say = (line: string): void => void lines.push(encodePktLine(`${line}\n`))
  let last: string | undefined
  let sentReady = false
  for (const oid of request.haves) {
    if (common.has(oid)) {
      if (detailed) say(`ACK ${oid} common`)
      else if (multiAck) say(`ACK ${oid} continue`)
      else if (last === undefined) say(`ACK ${oid}`)
      last = oid
    } else if (multiAck && ready && last !== undefined) {
      // What it has further is of no use any more: it need not go on.
      say(`ACK ${oid} ${detailed ? 'ready' : 'continue'}`)
      if (detailed) sentReady = true
    }
  }
  if (request.done) {
    if (last === undefined) say('NAK')
    else if (multiAck) say(`ACK ${last}`)
    return { answer: Buffer.concat(lines), packFollows: true }
  }
  if (detailed && ready && last !== undefined && !sentReady) {
    say(`ACK ${last} ready`)
    sentReady = true
  }
  if (last === undefined || multiAck) say('NAK')
  if (!sentReady || last === undefined || !request.capabilities.has('no-done')) {
    return { answer: Buffer.concat(lines), packFollows: false }
  }
  say(`ACK ${last}`)
  return { answer: Buffer.concat(lines), packFollows: true }
}

/** The answer ends before the sections that come with the pack (`encodePackSections`). */
export function negotiateV2(
  request: Pick<FetchV2Request, 'haves' | 'done' | 'waitForDone'>,
  common: ReadonlySet<string>,
  ready: boolean,
): Negotiated {
  if (request.done) return { answer: Buffer.alloc(0), packFollows: true }
  const lines = [encodePktLine('acknowledgments\n')]
  const found = request.haves.filter((oid) => common.has(oid))
  if (found.length === 0) lines.push(encodePktLine('NAK\n'))
  for (const oid of new Set(found)) lines.push(encodePktLine(`ACK ${oid}\n`))
  if (!ready || found.length === 0 || request.waitForDone) {
    return { answer: Buffer.concat([...lines, FLUSH]), packFollows: false }
  }
  lines.push(encodePktLine('ready\n'), DELIM)
  return { answer: Buffer.concat(lines), packFollows: true }
}

export interface PackSections {
  /** As `encodeShallowInfo` has it; undefined: the section is left out. */
  readonly shallowInfo: Buffer | undefined
  readonly wantedRefs: readonly { readonly oid: string; readonly name: string }[]
}

/** What version 2 says before the pack itself (gitprotocol-v2, "fetch"). */
export function encodePackSections({ shallowInfo, wantedRefs }: PackSections): Buffer {
  const shallow = shallowInfo === undefined ? [] : [encodePktLine('shallow-info\n'), shallowInfo, DELIM]
  const wanted = wantedRefs.length === 0 ? [] : [encodeWantedRefs(wantedRefs)]
  return Buffer.concat([...shallow, ...wanted, encodePktLine('packfile\n')])
}

/** What refs that were wanted by name point to. */
function encodeWantedRefs(refs: readonly { readonly oid: string; readonly name: string }[]): Buffer {
  const lines = refs.map(({ oid, name }) => encodePktLine(`${oid} ${name}\n`))
  return Buffer.concat([encodePktLine('wanted-refs\n'), ...lines, DELIM])
}

/** Where the client's history ends from now on, each as 40 hex digits; the caller ends the list. */
export function encodeShallowInfo(shallow: readonly string[], unshallow: readonly string[]): Buffer {
  const lines = [...shallow.map((oid) => `shallow ${oid}`), ...unshallow.map((oid) => `unshallow ${oid}`)]
  return Buffer.concat(lines.map((line) => encodePktLine(line)))
}
