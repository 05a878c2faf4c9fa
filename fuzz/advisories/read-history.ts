/** Packs that are small, and dear for who walks what they hold. */
import assert from 'node:assert/strict'
import { indexPack } from '../../src/git/pack/indexer.ts'
import { selectObjects } from '../../src/git/object-graph/select.ts'
import { OUTSIDE } from '../grammar/packs.ts'
import { nameOf, type PackObject, readPack } from '../oracles/packs.ts'

const LARGE = { objectsMax: 100_000, objectBytesMax: 65_536, inflatedBytesMax: 2 ** 26, deltaDepthMax: 20 } as const

export function readHistory(bytes: Buffer): undefined {
  walk(readPack(bytes, OUTSIDE).objects)
}

export function readTips(bytes: Buffer): undefined {
  const objects = new Map<string, PackObject>()
  indexPack({ bytes: bytes.length, read: (to, position) => bytes.copy(to, 0, position) }, LARGE, {
    onDeclared() {},
    onObject(type, data) {
      const object = { type, data: Buffer.from(data) }
      objects.set(nameOf(object), object)
    },
    readBase: () => undefined,
    onProgress() {},
  })
  walk(objects)
}

/** From the last object: each is listed once, and read a few times at most, however many ways lead to it. */
function walk(objects: ReadonlyMap<string, PackObject>): void {
  const wanted = Array.from(objects.keys()).at(-1) ?? ''
  let reads = 0
  const read = (oid: Buffer, at: number): PackObject => {
    reads++
    const found = objects.get(oid.toString('hex', at, at + 20))
    assert(found !== undefined, 'an object is looked for that the pack does not have')
    return found
  }
  const reader = { read, sizeOf: (oid: Buffer, at: number) => read(oid, at).data.length }
  const { count } = selectObjects(reader, { wants: [Buffer.from(wanted, 'hex')], haves: [] })
  assert.equal(count, objects.size)
  assert(reads <= 3 * objects.size, `${reads} reads of ${objects.size} objects`)
}
