import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { blob, delta, pack, refDelta, whole, withChecksum } from '../../integration/support/pack-maker.ts'
import { PackError } from '../../src/git/pack/error.ts'
import { SummedSource } from '../../src/git/pack/summed-source.ts'
import { Cursor } from '../grammar/cursor.ts'
import {
  makePack,
  type MadePack,
  OUTSIDE,
  OUTSIDE_NAME,
  programOfMadeBases,
  simplerPrograms,
} from '../grammar/packs.ts'
import { unlessRefused } from '../oracles/expected.ts'
import { nameOf, type ReadPack, readPack } from '../oracles/packs.ts'
import { PACK_CRASHES } from '../seeds/crash-inputs.ts'
import type { NamedBytes } from '../seeds/material.ts'
import { programOf } from '../seeds/programs.ts'
import { hexSeeds } from '../seeds/texts.ts'
import type { FuzzTarget } from '../target.ts'

export const target = {
  reads: 'packs with deltas, their objects and their indexes',
  drives: {
    'src/git/pack/indexer.ts': ['indexPack'],
    'src/git/pack/summed-source.ts': ['read', 'sumUpTo'],
    'src/git/pack/scan.ts': ['entryAt'],
    'src/git/pack/recent-objects.ts': ['add', 'has', 'get'],
    'src/git/pack/header.ts': ['decodePackHeader', 'decodeEntryHeader'],
    'src/git/pack/inflate.ts': ['inflateAt'],
    'src/git/pack/resolve-deltas.ts': ['resolveDeltas', 'resolveFrom', 'takeWaiting'],
    'src/git/pack/waiting-deltas.ts': ['add', 'take', 'forEachBase'],
    'src/git/pack/index-file.ts': ['encodePackIndex', 'rankOf', 'offsetOf'],
    'src/git/delta.ts': ['applyDelta', 'decodeDeltaSizes', 'sizeAt'],
  },
  inputBytesMax: 4_096,
  words: [
    'PACK\0\0\0\x02\0\0\0\x01',
    'PACK\0\0\0\x02\xff\xff\xff\xff',
    '\x78\x01\x01\0\0\xff\xff\0\0\0\x01',
    // A blob; deltas on the entry before it, by distance and by name, and on one from outside.
    '\x02\0\0\x03abc',
    '\x04\0\0\x02\x90\x03',
    '\x05\0\0\x04\x90\x02\x01x',
    '\x06\0\0\x02\x90\x0a',
    '\x80\x80\x80\x80\x80\x80\x80\x02',
  ],
  makesObjects: false,
  goalPerS: 3_000,
  planted: {
    'copy-beyond-base': {
      why: 'a delta that copies from beyond its base makes an object of memory that was never written',
      file: 'src/git/delta.ts',
      from: "if (offset + size > base.length) throw invalid('a copy reaches beyond the base')",
      to: "if (offset > base.length) throw invalid('a copy reaches beyond the base')",
    },
  },
  seeds: ({ packs }) => ({
    ...Object.fromEntries(packs.flatMap(seedsOf)),
    'bases that it makes itself': Buffer.concat([Buffer.from('B'), programOfMadeBases()]),
    'bases behind their deltas': Buffer.concat([Buffer.from('@'), basesBehind()]),
    ...hexSeeds('@', PACK_CRASHES),
  }),
} satisfies FuzzTarget

/**
 * The first byte says how the rest is meant (its lower two bits): 0 a pack as it is, 1 a pack whose checksum is put
 * right, else a program that makes one.
 *
 * Oracle: refused with a PackError, within its budget of memory, or indexed so that the index says what the pack does;
 * a pack that a program made right is taken, as the very objects, and one that it made wrong is refused.
 */
export function fuzz(data: Buffer): void {
  const input = new Cursor(data)
  if ((input.byte() & 3) >= 2) checkMade(makePack(input))
  else unlessRefused([PackError], () => readPack(packOf(data), OUTSIDE))
  checkSum(data)
}

/** Of bytes that nobody has read yet, and of more than there are. */
function checkSum(data: Buffer): void {
  const source = { bytes: data.length + 1, read: (to: Buffer, position: number) => data.copy(to, 0, position) }
  assert(new SummedSource(source).sumUpTo(data.length).equals(createHash('sha1').update(data).digest()))
  assert.throws(() => new SummedSource(source).sumUpTo(data.length + 1), PackError)
}

/** What an input means, for other readers. */
export function packOf(data: Buffer): Buffer {
  const input = new Cursor(data)
  const mode = input.byte() & 3
  if (mode >= 2) return makePack(input).bytes
  return mode === 0 ? input.rest() : withChecksum(input.rest())
}

/** What an input that fails is tried as, to make it smaller. */
export function simpler(data: Buffer): Buffer[] {
  return (data.readUInt8(0) & 3) >= 2 ? simplerPrograms(data) : []
}

function checkMade({ bytes, verdict, objects }: MadePack): void {
  const read = unlessRefused([PackError], () => readPack(bytes, OUTSIDE))
  if (verdict === 'unsure') return
  assert.equal(read === undefined ? 'invalid' : 'valid', verdict)
  if (read !== undefined) checkObjects(read, objects)
}

function checkObjects(read: ReadPack, objects: MadePack['objects']): void {
  assert.equal(read.objects.size, objects.length)
  for (const object of objects) {
    const found = read.objects.get(nameOf(object))
    assert(found !== undefined && found.type === object.type && found.data.equals(object.data))
  }
  // Programs make bases first: whatever else is outside, they have made it where they build on it.
  for (const name of read.externalBases) assert.equal(name, OUTSIDE_NAME)
}

function seedsOf({ name, bytes }: NamedBytes): [string, Buffer][] {
  return [
    [name, Buffer.concat([Buffer.from('@'), bytes])],
    [`${name}, without its checksum`, Buffer.concat([Buffer.from('A'), bytes.subarray(0, -20)])],
    [`${name}, as a program`, Buffer.concat([Buffer.from('B'), programOf(bytes)])],
  ]
}

/** git writes bases first, which leaves nothing to do once the pack is read. */
function basesBehind(): Buffer {
  const [base, middle, top] = [blob('the base'), blob('the middle'), blob('the top')]
  const toTop = refDelta(middle.oid, delta(middle.data.length, top.data))
  return pack([toTop, refDelta(base.oid, delta(base.data.length, middle.data)), whole(base)])
}
