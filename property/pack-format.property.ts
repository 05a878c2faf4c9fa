import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fc } from '@fast-check/vitest'
import { afterAll, beforeAll } from 'vitest'
import { temporaryFolder } from '../integration/support/git.ts'
import { typeNameOf } from '../src/git/object/type.ts'
import { PackError } from '../src/git/pack/error.ts'
import { decodeEntryHeader, encodeBaseDistance, encodeEntryHeader } from '../src/git/pack/header.ts'
import { encodePackIndex, PackIndex } from '../src/git/pack/index-file.ts'
import { indexPack } from '../src/git/pack/indexer.ts'
import { bytes, oidHex } from './arbitraries.ts'
import { history, makeHistory, run } from './histories.ts'
import { prop } from './prop.ts'

const folder = temporaryFolder('pack-format')
afterAll(() => folder[Symbol.dispose]())

const LIMITS = { objectsMax: 10_000, objectBytesMax: 2 ** 24, inflatedBytesMax: 2 ** 26, deltaDepthMax: 60 }
const index = (pack: Buffer): { names: string[]; idx: Buffer } => {
  const names: string[] = []
  const source = { bytes: pack.length, read: (target: Buffer, position: number) => pack.copy(target, 0, position) }
  const { entries } = indexPack(source, LIMITS, {
    onDeclared() {},
    onObject(type, data, oids, oidAt) {
      const oid = oids.toString('hex', oidAt, oidAt + 20)
      const hash = createHash('sha1')
        .update(`${typeNameOf(type)} ${data.length}\0`)
        .update(data)
      assert.equal(hash.digest('hex'), oid)
      names.push(oid)
    },
    readBase: () => undefined,
    onProgress() {},
  })
  return { names, idx: encodePackIndex(entries, pack.subarray(-20)).bytes }
}

const exact = fc.oneof(
  fc.nat(300),
  fc.maxSafeNat(),
  fc.integer({ min: 0, max: 52 }).map((power) => 2 ** power),
)

prop([fc.constantFrom(1, 2, 3, 4), exact, bytes(4), bytes(4)])(
  'a header of an entry is read as it was written',
  (type, sizeBytes, before, after) => {
    const header = encodeEntryHeader(type, sizeBytes)
    const read = decodeEntryHeader(Buffer.concat([before, header, after]), before.length, 0)
    assert.deepEqual(read, { type, sizeBytes, headerBytes: header.length, baseDistance: 0, baseOidAt: 0 })
  },
)

prop([exact, exact, bytes(4)])('a distance is read as it was written', (sizeBytes, distance, after) => {
  const header = Buffer.concat([encodeEntryHeader(6, sizeBytes), encodeBaseDistance(distance)])
  const read = decodeEntryHeader(Buffer.concat([header, after]), 0, 0)
  assert.deepEqual(read, { type: 6, sizeBytes, headerBytes: header.length, baseDistance: distance, baseOidAt: 0 })
})

prop([bytes(40)])('a header is read or refused, and no byte behind it counts', (input) => {
  let read
  try {
    read = decodeEntryHeader(input, 0, 0)
  } catch (error) {
    assert.ok(error instanceof PackError)
    return
  }
  assert.deepEqual(decodeEntryHeader(input.subarray(0, read.headerBytes), 0, 0), read)
  assert.throws(() => decodeEntryHeader(input.subarray(0, read.headerBytes - 1), 0, 0), PackError)
})

prop([fc.uniqueArray(oidHex, { maxLength: 40 }), fc.infiniteStream(exact)])(
  'an index finds every object where it was put, and no other, and C git reads it',
  (oids, offsets) => {
    const places = oids.map(() => offsets.next().value ?? 0)
    const crcs = Uint32Array.from(oids, (_, at) => at * 2_654_435_761)
    const found = {
      count: oids.length,
      oids: Buffer.from(oids.join(''), 'hex'),
      names: Int32Array.from(oids.keys()),
      crcs,
      offsets: Float64Array.from(places),
    }
    const { bytes: encoded } = encodePackIndex(found, Buffer.alloc(20, 7))
    const read = new PackIndex(encoded)
    assert.equal(read.count, oids.length)
    for (const [at, oid] of oids.entries()) {
      const rank = read.rankOf(Buffer.from(`00${oid}`, 'hex'), 1)
      assert.deepEqual([read.oidAt(rank), read.offsetOf(rank)], [oid, places[at]])
      const other = Buffer.from(oid, 'hex')
      other[19] = (other[19] ?? 0) ^ 1
      assert.equal(read.rankOf(other), oids.indexOf(other.toString('hex')) < 0 ? -1 : read.rankOf(other))
    }
    const listed = run(folder.path, ['show-index'], encoded).toString().trim().split('\n').filter(Boolean)
    const expected = oids.map((oid, at) => `${places[at]} ${oid} (${(crcs[at] ?? 0).toString(16).padStart(8, '0')})`)
    assert.deepEqual(listed.sort(), expected.sort())
  },
)

prop([bytes(2_000), fc.nat(1_200)])('what is left of an index is read or refused', (noise, length) => {
  const { bytes: encoded } = encodePackIndex(
    { count: 0, oids: Buffer.alloc(0), names: new Int32Array(), crcs: new Uint32Array(), offsets: new Float64Array() },
    Buffer.alloc(20),
  )
  for (const input of [noise, encoded.subarray(0, length), Buffer.concat([encoded.subarray(0, 8), noise])]) {
    try {
      const read = new PackIndex(input)
      assert.ok(read.rankOf(Buffer.alloc(20)) >= -1)
    } catch (error) {
      assert.ok(error instanceof PackError)
    }
  }
})

let sample: Buffer
beforeAll(() => {
  const repository = join(folder.path, 'sample.git')
  run(folder.path, ['init', '--quiet', '--bare', 'sample.git'])
  const [commits = []] = fc.sample(history('right'), { seed: 4, numRuns: 1 })
  makeHistory(repository, commits)
  sample = packOf(repository, ['--delta-base-offset'])
})

function packOf(repository: string, options: readonly string[]): Buffer {
  return run(repository, ['pack-objects', '--quiet', '--all', '--stdout', '--window=20', ...options], '')
}

/** @returns the index that C git makes of each pack, or undefined where it refuses it */
function gitIndexes(packs: readonly Buffer[]): (Buffer | undefined)[] {
  const path = mkdtempSync(join(folder.path, 'index-'))
  for (const [at, pack] of packs.entries()) writeFileSync(join(path, `${at}.pack`), pack)
  // One shell for all of them.
  const script = 'for pack in *.pack; do git index-pack "$pack" >/dev/null 2>&1 || rm -f "${pack%.pack}.idx"; done'
  run(path, ['-c', `alias.each=!cd ${path}; ${script}`, 'each'])
  const indexes = packs.map((_, at) => {
    try {
      return readFileSync(join(path, `${at}.idx`))
    } catch {
      return undefined
    }
  })
  rmSync(path, { recursive: true })
  return indexes
}

prop([history('wrong'), fc.constantFrom(['--delta-base-offset'], [], ['--depth=0'])], { numRuns: 12 })(
  'a pack that C git made is indexed byte for byte as C git does',
  (commits, options) => {
    const repository = mkdtempSync(join(folder.path, 'repository-'))
    run(repository, ['init', '--quiet', '--bare'])
    makeHistory(repository, commits)
    const pack = packOf(repository, options)
    rmSync(repository, { recursive: true })
    const [theirs] = gitIndexes([pack])
    assert.ok(theirs?.equals(index(pack).idx))
  },
)

const change = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  flip: fc.integer({ min: 1, max: 255 }),
  isMended: fc.boolean(),
})
prop([fc.array(change, { minLength: 60, maxLength: 60 })], { numRuns: 4, endOnFailure: true })(
  'a pack with one other byte is taken where C git takes it, and as the same objects',
  (changes) => {
    const packs = changes.map(({ at, flip, isMended }) => {
      const pack = Buffer.from(sample)
      const place = Math.min(pack.length - 1, Math.floor(at * pack.length))
      pack.writeUInt8(pack.readUInt8(place) ^ flip, place)
      // With a checksum that fits, what is inside has to be judged.
      if (isMended)
        createHash('sha1')
          .update(pack.subarray(0, -20))
          .digest()
          .copy(pack, pack.length - 20)
      return pack
    })
    const theirs = gitIndexes(packs)
    for (const [at, pack] of packs.entries()) {
      let ours: Buffer | undefined
      try {
        ours = index(pack).idx
      } catch (error) {
        assert.ok(error instanceof PackError, String(error))
      }
      const what = JSON.stringify(changes[at])
      if (ours !== undefined) assert.ok(theirs[at]?.equals(ours), `taken or read otherwise than by C git: ${what}`)
      else assert.equal(theirs[at], undefined, `refused, and not by C git: ${what}`)
    }
  },
)
