/** Packs as nobody would make them: each part can lie. */
import { createHash } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import { encodeBaseDistance, encodeEntryHeader, ENTRY_TYPE } from '../../src/git/pack/header.ts'

type ObjectType = 'commit' | 'tree' | 'blob' | 'tag'

export interface MadeObject {
  readonly type: ObjectType
  readonly data: Buffer
  /** 40 hex digits */
  readonly oid: string
}

export function makeObject(type: ObjectType, content: string | Uint8Array): MadeObject {
  const data = Buffer.from(content)
  const oid = createHash('sha1').update(`${type} ${data.length}\0`).update(data).digest('hex')
  return { type, data, oid }
}

export const blob = (content: string | Uint8Array): MadeObject => makeObject('blob', content)

/** @param entries mode, name, object id each; in the order given, whatever git thinks of it */
export function tree(...entries: readonly (readonly [mode: string, name: string, oid: string])[]): MadeObject {
  const parts = entries.map(([mode, name, oid]) =>
    Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')]),
  )
  return makeObject('tree', Buffer.concat(parts))
}

const WHO = 'Alice <alice@example.org> 1600000000 +0000'

export function commit(treeOid: string, parents: readonly string[] = [], message = 'made by hand\n'): MadeObject {
  const lines = [`tree ${treeOid}`, ...parents.map((parent) => `parent ${parent}`), `author ${WHO}`, `committer ${WHO}`]
  return makeObject('commit', `${lines.join('\n')}\n\n${message}`)
}

export function tag(target: string, type: ObjectType, name = 'v1'): MadeObject {
  return makeObject('tag', `object ${target}\ntype ${type}\ntag ${name}\ntagger ${WHO}\n\nmade by hand\n`)
}

/** An entry that holds `object`. @param declaredBytes instead of its true size */
export function whole({ type, data }: MadeObject, declaredBytes = data.length): Buffer {
  return rawEntry(ENTRY_TYPE[type], data, declaredBytes)
}

export function rawEntry(type: number, data: Uint8Array, declaredBytes = data.length): Buffer {
  return Buffer.concat([encodeEntryHeader(type, declaredBytes), deflateSync(data)])
}

export function refDelta(baseOid: string, change: Buffer): Buffer {
  const header = encodeEntryHeader(ENTRY_TYPE.refDelta, change.length)
  return Buffer.concat([header, Buffer.from(baseOid, 'hex'), deflateSync(change)])
}

/** @param distance from the beginning of this entry back to the base's */
export function ofsDelta(distance: number, change: Buffer): Buffer {
  const header = encodeEntryHeader(ENTRY_TYPE.ofsDelta, change.length)
  return Buffer.concat([header, encodeBaseDistance(distance), deflateSync(change)])
}

/** A delta that makes `result` whatever its base is. */
export function delta(
  baseBytes: number,
  result: string | Uint8Array,
  declaredBytes = Buffer.from(result).length,
): Buffer {
  const bytes = Buffer.from(result)
  const parts = [varint(baseBytes), varint(declaredBytes)]
  for (let at = 0; at < bytes.length; at += 127) {
    const piece = bytes.subarray(at, at + 127)
    parts.push(Buffer.of(piece.length), piece)
  }
  return Buffer.concat(parts)
}

/** A delta of given instructions. */
export function rawDelta(baseBytes: number, resultBytes: number, instructions: readonly number[]): Buffer {
  return Buffer.concat([varint(baseBytes), varint(resultBytes), Buffer.from(instructions)])
}

export function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  return Buffer.from([...bytes, rest])
}

/** @param declaredObjects instead of their true number */
export function pack(entries: readonly Buffer[], declaredObjects = entries.length): Buffer {
  const header = Buffer.from('PACK\0\0\0\x02\0\0\0\0', 'latin1')
  header.writeUInt32BE(declaredObjects, 8)
  return withChecksum(Buffer.concat([header, ...entries]))
}

export function withChecksum(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, createHash('sha1').update(bytes).digest()])
}
