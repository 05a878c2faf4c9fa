/**
 * Packs that are larger than the limits within which packs are fuzzed, which at one or two in a second is no fuzzing. They
 * are replayed where it is counted what inputs reach. The first byte says whether large blobs come in pieces (bit 0).
 */
import assert from 'node:assert/strict'
import {
  blob,
  type MadeObject,
  ofsDelta,
  pack,
  rawDelta,
  refDelta,
  varint,
  whole,
} from '../../integration/support/pack-maker.ts'
import { GutsError } from '../../src/errors.ts'
import { checkGitattributes, GITATTRIBUTES_BYTES_MAX } from '../../src/git/fsck/gitattributes.ts'
import { encodeEntryHeader, ENTRY_TYPE } from '../../src/git/pack/header.ts'
import { indexPack } from '../../src/git/pack/indexer.ts'
import { nameOf } from '../oracles/packs.ts'

const MIB = 2 ** 20
const LIMITS = {
  objectsMax: 10_000,
  objectBytesMax: 64 * MIB,
  inflatedBytesMax: 2_048 * MIB,
  deltaDepthMax: 20,
} as const
/** Two of them are more than what is kept of bases. */
const HALF = 50 * MIB

/** Of bytes that are all the same, which a pack holds in a thousandth. */
const filled = (bytes: number, value: number): MadeObject => blob(Buffer.alloc(bytes, value))
const outside = (): MadeObject => filled(HALF, 9)

/** Copies of all of the base, and a byte more. @returns the delta, and what it makes */
function grown(base: MadeObject, byte: number): { readonly change: Buffer; readonly object: MadeObject } {
  const copies: number[] = []
  for (let at = 0; at < base.data.length; at += 2 ** 16) {
    const [low, middle, high] = [at & 255, (at >> 8) & 255, (at >> 16) & 255]
    const size = Math.min(2 ** 16, base.data.length - at) & 0xffff
    copies.push(0xb7 | 8, low, middle, high, (at >> 24) & 255, size & 255, size >> 8)
  }
  const change = rawDelta(base.data.length, base.data.length + 1, [...copies, 1, byte])
  return { change, object: blob(Buffer.concat([base.data, Buffer.of(byte)])) }
}

/** Three layers of large objects, each the base of two, so that those below have to go, and be made again. */
function layers(base: MadeObject): Buffer[] {
  const [one, other] = [grown(base, 1), grown(base, 2)]
  const [first, second] = [grown(one.object, 3), grown(one.object, 4)]
  const leaves = [grown(first.object, 5), grown(second.object, 6), grown(other.object, 7)]
  // Those below first: none can be applied as it comes.
  return [
    ...leaves.map(({ change }, at) => refDelta([first, second, other][at]?.object.oid ?? '', change)),
    refDelta(one.object.oid, first.change),
    refDelta(one.object.oid, second.change),
    refDelta(base.oid, one.change),
    refDelta(base.oid, other.change),
  ]
}

/** In very many empty blocks, more than any stream of such an object takes. */
function emptyBlocks(bytes: number): Buffer {
  const header = encodeEntryHeader(ENTRY_TYPE.blob, bytes)
  return Buffer.concat([
    header,
    Buffer.from('7801', 'hex'),
    Buffer.alloc(2 * bytes + 3 * MIB, Buffer.from('000000ffff', 'hex')),
  ])
}

/** By what is special about each: what it is, and how it must end. */
export const LARGE_PACKS: Readonly<Record<string, { make(): Buffer; outcome: string; inPieces?: boolean }>> = {
  'more than four thousand objects': {
    make: () => pack(Array.from({ length: 4_200 }, (_, at) => whole(blob(`${at}`)))),
    outcome: 'accepted',
  },
  'a blob of 17 MiB': { make: () => pack([whole(filled(17 * MIB, 1))]), outcome: 'accepted' },
  'a blob of 17 MiB in pieces': { make: () => pack([whole(filled(17 * MIB, 1))]), outcome: 'accepted', inPieces: true },
  'a delta of 300 KB': {
    make: () => {
      const base = whole(blob('a base'))
      const insertions = Buffer.alloc(300 * 1_024, Buffer.concat([Buffer.of(127), Buffer.alloc(127, 'x')]))
      const result = (insertions.length / 128) * 127
      return pack([base, ofsDelta(base.length, Buffer.concat([varint(6), varint(result), insertions]))])
    },
    outcome: 'accepted',
  },
  'bases that have to be made again': {
    make: () => {
      const base = filled(HALF, 0)
      return pack([...layers(base), whole(base)])
    },
    outcome: 'accepted',
  },
  'bases that have to be made again of one from outside': { make: () => pack(layers(outside())), outcome: 'accepted' },
  'a blob of empty blocks': { make: () => pack([emptyBlocks(MIB)]), outcome: 'entry_inflate_failed', inPieces: true },
}

/** Said by the first byte. */
const KINDS = { pack: 0, packInPieces: 1, attributes: 2 } as const

export function largeInputs(): Buffer[] {
  const packs = Object.values(LARGE_PACKS).map(({ make, inPieces }) =>
    Buffer.concat([Buffer.of(inPieces === true ? KINDS.packInPieces : KINDS.pack), make()]),
  )
  return [...packs, Buffer.of(KINDS.attributes)]
}

export function fuzz(data: Buffer): void {
  const [kind] = data
  if (kind === KINDS.attributes) checkLargeAttributes()
  else readLarge(data.subarray(1), kind === KINDS.packInPieces)
}

/** A `.gitattributes` of as many bytes as there may be, and of one more: too large to be an input itself. */
function checkLargeAttributes(): void {
  const zeros = Buffer.alloc(GITATTRIBUTES_BYTES_MAX + 1, '\0')
  assert.equal(checkGitattributes(zeros.subarray(1)), undefined)
  assert.equal(checkGitattributes(zeros), 'gitattributesLarge')
}

/** @returns `accepted`, or the code of the refusal */
export function readLarge(bytes: Buffer, inPieces: boolean): string {
  const source = { bytes: bytes.length, read: (to: Buffer, position: number) => bytes.copy(to, 0, position) }
  let named = 0
  const hooks = {
    onDeclared() {},
    onObject() {
      named++
    },
    readBase(oid: Buffer) {
      const base = outside()
      return base.oid === oid.toString('hex') ? { type: ENTRY_TYPE.blob, data: base.data } : undefined
    },
    onProgress() {},
  }
  const onLargeBlob = (
    size: number,
    oids: Buffer,
    oidAt: number,
    forEachPiece: (visit: (piece: Buffer) => void) => void,
  ) => {
    const pieces: Buffer[] = []
    forEachPiece((piece) => pieces.push(Buffer.from(piece)))
    const data = Buffer.concat(pieces)
    assert.equal(data.length, size)
    assert.equal(nameOf({ type: ENTRY_TYPE.blob, data }), oids.toString('hex', oidAt, oidAt + 20))
    named++
  }
  try {
    const { entries } = indexPack(source, LIMITS, inPieces ? { ...hooks, onLargeBlob } : hooks)
    assert.equal(named, entries.count)
    return 'accepted'
  } catch (error) {
    if (error instanceof GutsError) return (error as GutsError<{ readonly code: string }>).detail.code
    throw error
  }
}
