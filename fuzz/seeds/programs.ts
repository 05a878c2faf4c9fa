/** Real packs and bodies in the words of the fuzzer's grammars, so that a change in them keeps its framing. */
import { inflateSync } from 'node:zlib'
import { decodePktLine } from '../../src/git/pkt-line.ts'
import { decodeDeltaSizes } from '../../src/git/delta.ts'
import { decodeEntryHeader, ENTRY_TYPE, PACK_HEADER_BYTES } from '../../src/git/pack/header.ts'
import { indexPack } from '../../src/git/pack/indexer.ts'
import { abbreviate } from '../grammar/requests.ts'
import { PACK_LIMITS } from '../oracles/packs.ts'

const SPECIAL = { flush: '0000', delim: '0001', 'response-end': '0002' } as const

/**
 * A body in lines, as `grammar/requests.ts` frames them; a pack stays at its end, without its checksum.
 *
 * @param letters for names that have one already, by their 40 hex digits
 */
export function linesOf(body: Buffer, letters?: ReadonlyMap<string, string>): Buffer {
  const parts: Buffer[] = []
  let pack = Buffer.alloc(0)
  for (let rest = body; rest.length > 0;) {
    if (rest.toString('latin1', 0, 4) === 'PACK') {
      pack = Buffer.from(rest.subarray(0, -20))
      break
    }
    const step = decodePktLine(rest)
    if (!step.complete) break
    const { line } = step
    const text = line.type === 'data' ? line.payload : Buffer.from(SPECIAL[line.type])
    parts.push(text.at(-1) === 0x0a ? text.subarray(0, -1) : text, Buffer.from('\n'))
    rest = rest.subarray(step.consumedBytes)
  }
  const lines = abbreviate(Buffer.concat(parts).toString('latin1'), letters)
  return Buffer.concat([Buffer.from(lines, 'latin1'), pack])
}

/** The lines of a body, framed as they were. */
export function splitLines(body: Buffer): Buffer[] {
  const lines: Buffer[] = []
  for (let rest = body; rest.length > 0;) {
    const step = decodePktLine(rest)
    if (!step.complete) break
    lines.push(rest.subarray(0, step.consumedBytes))
    rest = rest.subarray(step.consumedBytes)
  }
  return lines
}

/** A pack that stands alone as a program, as `grammar/packs.ts` runs it. */
export function programOf(pack: Buffer): Buffer {
  const { entries } = indexPack(
    { bytes: pack.length, read: (target, position) => pack.copy(target, 0, position) },
    PACK_LIMITS,
    { onDeclared() {}, onObject() {}, readBase: () => undefined, onProgress() {} },
  )
  const parts = [Buffer.of(0)]
  for (let entry = 0; entry < entries.count; entry++) {
    const offset = entries.offsets[entry] ?? PACK_HEADER_BYTES
    const { type, headerBytes, baseDistance, baseOidAt } = decodeEntryHeader(pack, offset, offset)
    const content = inflateSync(pack.subarray(offset + headerBytes))
    const isDelta = type === ENTRY_TYPE.ofsDelta || type === ENTRY_TYPE.refDelta
    const base =
      type === ENTRY_TYPE.refDelta ? entries.find(pack, offset + baseOidAt) : entries.entryAt(offset - baseDistance)
    const bytes = isDelta ? content.subarray(decodeDeltaSizes(content).at) : content
    const operation = type === ENTRY_TYPE.ofsDelta ? 4 : type === ENTRY_TYPE.refDelta ? 5 : type - 1
    parts.push(Buffer.of(operation, isDelta ? entry - 1 - base : 0, bytes.length >> 8, bytes.length & 255), bytes)
  }
  return Buffer.concat(parts)
}
