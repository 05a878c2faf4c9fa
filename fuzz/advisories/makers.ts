/** Parts of inputs that several advisories need. */
import { createHash } from 'node:crypto'
import {
  blob,
  commit,
  delta,
  type MadeObject,
  ofsDelta,
  pack,
  tree,
  whole,
} from '../../integration/support/pack-maker.ts'
import { encodePktLine } from '../../src/git/pkt-line.ts'

/** Of a commit. An id of each type: C git takes none that it knows as another type, and judges many objects at a time. */
export const OID = 'c'.repeat(40)
export const TREE_OID = 'a'.repeat(40)
const BLOB_OID = 'b'.repeat(40)
export const NO_OID = '0'.repeat(40)

export const text = (content: string): Buffer => Buffer.from(content)
export const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(' ', ''), 'hex')
export const lines = (...payloads: readonly (string | Buffer)[]): Buffer =>
  Buffer.concat(payloads.map((payload) => encodePktLine(payload)))

/** All bytes differ from their neighbours, so that a copy from a wrong place makes another object. */
export function baseOf(bytes: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: bytes }, (_, at) => (at * 7 + (at >> 8)) & 255))
}

/** A delta for a base of so many bytes, as the reader `delta` takes it. */
export function deltaOn(baseBytes: number, change: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(baseBytes)
  return Buffer.concat([length, change])
}

/** The same delta in a pack, behind its base. */
export function packOfDelta(bytes: Buffer): Buffer {
  const base = whole(blob(baseOf(bytes.readUInt16BE(0))))
  return pack([base, ofsDelta(base.length, bytes.subarray(2))])
}

/** One entry of a tree. */
export function entry(mode: string, name: string | Buffer): Buffer {
  const oid = Buffer.from(mode === '40000' ? TREE_OID : BLOB_OID, 'hex')
  return Buffer.concat([Buffer.from(`${mode} `), Buffer.from(name), Buffer.of(0), oid])
}

export const file = (name: string | Buffer): Buffer => entry('100644', name)

/** `layers` trees of which each names the next one `width` times, and a commit: few objects, and very many paths. */
export function bomb(layers: number, width: number): Buffer {
  const objects: MadeObject[] = [blob('one laugh\n')]
  let mode = '100644'
  for (let layer = 0; layer < layers; layer++) {
    const below = (objects.at(-1) as MadeObject).oid
    objects.push(tree(...Array.from({ length: width }, (_, at) => [mode, `d${at}`, below] as const)))
    mode = '40000'
  }
  objects.push(commit((objects.at(-1) as MadeObject).oid))
  return pack(objects.map((object) => whole(object)))
}

/** A line of so many commits, of one tree. */
export function line(commits: number): Buffer {
  const root = tree(['100644', 'a', blob('a').oid])
  const objects: MadeObject[] = [blob('a'), root]
  for (let at = 0; at < commits; at++) {
    const parent = objects.at(-1) as MadeObject
    objects.push(commit(root.oid, at === 0 ? [] : [parent.oid], `${at}\n`))
  }
  return pack(objects.map((object) => whole(object)))
}

/** A chain of so many deltas, each on the entry before it. */
export function chain(deltas: number): Buffer {
  const entries = [whole(blob('0'))]
  for (let at = 1; at <= deltas; at++) {
    const before = entries.at(-1) as Buffer
    entries.push(ofsDelta(before.length, delta(`${at - 1}`.length, `${at}`)))
  }
  return pack(entries)
}

/** A pack index of given parts, whose checksums are right. @param names 40 hex digits each, in order */
export function packIndex(
  names: readonly string[],
  offsets: readonly number[],
  longOffsets: readonly bigint[] = [],
  claimed = names.length,
): Buffer {
  const head = Buffer.from([0xff, 0x74, 0x4f, 0x63, 0, 0, 0, 2])
  const fanout = Buffer.alloc(1_024)
  for (let byte = 0; byte < 256; byte++) {
    const upTo = names.filter((name) => Number(`0x${name.slice(0, 2)}`) <= byte).length
    fanout.writeUInt32BE(byte === 255 ? claimed : upTo, byte * 4)
  }
  const places = Buffer.alloc(offsets.length * 4)
  for (const [at, offset] of offsets.entries()) places.writeUInt32BE(offset, at * 4)
  const long = Buffer.alloc(longOffsets.length * 8)
  for (const [at, offset] of longOffsets.entries()) long.writeBigUInt64BE(offset, at * 8)
  const oids = names.map((name) => Buffer.from(name, 'hex'))
  const content = Buffer.concat([head, fanout, ...oids, Buffer.alloc(names.length * 4), places, long, Buffer.alloc(20)])
  return Buffer.concat([content, createHash('sha1').update(content).digest()])
}
