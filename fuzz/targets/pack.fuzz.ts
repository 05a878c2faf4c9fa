import assert from 'node:assert/strict'
import { withChecksum } from '../../integration/support/pack-maker.ts'
import { PackError } from '../../src/git/pack/error.ts'
import { Cursor } from '../grammar/cursor.ts'
import { makePack, type MadePack, OUTSIDE, simplerPrograms } from '../grammar/packs.ts'
import { unlessRefused } from '../oracles/expected.ts'
import { nameOf, type ReadPack, readPack } from '../oracles/packs.ts'

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
  for (const name of read.externalBases) assert(OUTSIDE.has(name))
}
