import assert from 'node:assert/strict'
import { PackError } from '../../src/git/pack/error.ts'
import { encodePackIndex, PackIndex } from '../../src/git/pack/index-file.ts'
import { withinBudget } from '../oracles/allocation-meter.ts'
import { unlessRefused } from '../oracles/expected.ts'
import type { FuzzTarget } from '../target.ts'

const FANOUT_AT = 8
const NAMES_AT = FANOUT_AT + 1_024
const TRAILER_BYTES = 40
/** It stays in memory as it is on disk. */
const ALLOCATION_BYTES_MAX = 4_096

export const target = {
  reads: 'indexes of packs',
  drives: {
    'src/git/pack/index-file.ts': ['PackIndex', 'rankOf', 'offsetOf', 'copyOid', 'oidAt'],
    'src/git/object/sorted-names.ts': ['isFanout', 'rankOf', 'copy', 'hexAt'],
  },
  inputBytesMax: 4_096,
  words: ['\xfftOc\0\0\0\x02', '\x80\0\0\0', '\x80\0\0\x01', '\xff\xff\xff\xff', '\0\0\0\x01'],
  makesObjects: false,
  goalPerS: 3_000,
  planted: {
    'long-offset-missing': {
      why: 'an offset that is not in the table of long ones is read from the checksums behind it',
      file: 'src/git/pack/index-file.ts',
      from: "    if (longAt + 8 > this.#bytes.length - 40) throw indexInvalid('a long offset is missing')\n",
      to: '',
    },
  },
  seeds: ({ packIndexes }) => Object.fromEntries(packIndexes.map(({ name, bytes }) => [name, bytes])),
} satisfies FuzzTarget

/**
 * Oracle: refused with a PackError, within the budget of memory, or the names and offsets of a second reader, written from
 * gitformat-pack; a name that is found is that name, and all are found where they are in order.
 */
export function fuzz(data: Buffer): void {
  const index = unlessRefused([PackError], () => withinBudget(ALLOCATION_BYTES_MAX, () => new PackIndex(data)))
  if (index === undefined) return
  const { count } = index
  assert.equal(count, data.readUInt32BE(NAMES_AT - 4))
  assert(index.packChecksum.equals(data.subarray(data.length - TRAILER_BYTES, data.length - TRAILER_BYTES + 20)))
  const names = Array.from({ length: count }, (_, rank) =>
    data.subarray(NAMES_AT + rank * 20, NAMES_AT + rank * 20 + 20),
  )
  const areSorted = names.every((name, rank) => {
    const before = names[rank - 1]
    const [upTo, from] = [fanout(data, name[0] ?? 0), fanout(data, (name[0] ?? 0) - 1)]
    return (before === undefined || Buffer.compare(before, name) < 0) && rank >= from && rank < upTo
  })
  if (areSorted) checkWritten(index, names)
  const copy = Buffer.alloc(20)
  for (const [rank, name] of names.entries()) {
    assert.equal(index.oidAt(rank), name.toString('hex'))
    index.copyOid(rank, copy, 0)
    assert(copy.equals(name))
    const found = index.rankOf(name)
    assert(areSorted ? found === rank : found === -1 || names[found]?.equals(name) === true)
    const offset: number | undefined = unlessRefused([PackError], () => index.offsetOf(rank))
    assert.equal(offset, offsetIn(data, rank, count))
  }
}

/** Written anew, last object first: what it said. */
function checkWritten(index: PackIndex, names: readonly Buffer[]): void {
  const offsets = names.map((_, rank) => unlessRefused([PackError], () => index.offsetOf(rank)))
  if (offsets.includes(undefined)) return
  const turned = Float64Array.from(offsets as number[]).toReversed()
  const { count, packChecksum } = index
  const [oids, numbers] = [Buffer.concat(names.toReversed()), Int32Array.from(names.keys())]
  const objects = { count, oids, names: numbers, crcs: new Uint32Array(count), offsets: turned }
  const again = new PackIndex(encodePackIndex(objects, packChecksum).bytes)
  for (const [rank, offset] of offsets.entries()) {
    assert.equal(again.oidAt(rank), index.oidAt(rank))
    assert.equal(again.offsetOf(rank), offset)
  }
}

function fanout(data: Buffer, byte: number): number {
  return byte < 0 ? 0 : data.readUInt32BE(FANOUT_AT + byte * 4)
}

/** Names, checksums of 32 bits, offsets, long offsets. @returns undefined: there is none */
function offsetIn(data: Buffer, rank: number, count: number): number | undefined {
  const [offsets, longOffsets] = [NAMES_AT + count * 24, NAMES_AT + count * 28]
  const offset = data.readUInt32BE(offsets + rank * 4)
  if ((offset & 0x80000000) === 0) return offset
  const place = longOffsets + (offset & 0x7fffffff) * 8
  return place + 8 > data.length - TRAILER_BYTES ? undefined : Number(data.readBigUInt64BE(place))
}
