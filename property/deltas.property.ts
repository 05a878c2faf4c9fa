import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inflateSync } from 'node:zlib'
import { fc } from '@fast-check/vitest'
import { afterAll } from 'vitest'
import { applyNaively, readInstructions } from '../fuzz/grammar/naive-delta.ts'
import { gitIndexPack } from '../fuzz/referee.ts'
import { temporaryFolder } from '../integration/support/git.ts'
import { makeObject, pack, rawDelta, refDelta, whole } from '../integration/support/pack-maker.ts'
import { applyDelta } from '../src/git/delta.ts'
import { decodeEntryHeader, ENTRY_TYPE, PACK_HEADER_BYTES } from '../src/git/pack/header.ts'
import { PackError } from '../src/git/pack/error.ts'
import { indexPack } from '../src/git/pack/indexer.ts'
import { run } from './histories.ts'
import { prop } from './prop.ts'

const folder = temporaryFolder('deltas')
afterAll(() => folder[Symbol.dispose]())

const BYTES_MAX = 2 ** 20
const LIMITS = { objectsMax: 1_000, objectBytesMax: BYTES_MAX, inflatedBytesMax: 2 ** 26, deltaDepthMax: 100 }

/** Versions of one text: git finds what two of them have in common. */
const versions = fc
  .tuple(
    fc.array(fc.stringMatching(/^[a-z ]{20,60}$/), { minLength: 20, maxLength: 60 }),
    fc.array(fc.tuple(fc.nat(), fc.nat(4), fc.string({ unit: 'binary', maxLength: 30 })), {
      minLength: 3,
      maxLength: 10,
    }),
  )
  .map(([lines, edits]) => {
    const all = [lines]
    for (const [place, removed, added] of edits) {
      const before = all.at(-1) ?? []
      all.push(before.toSpliced(place % before.length, removed, added))
    }
    return all.map((one) => Buffer.from(one.join('\n')))
  })

prop([fc.array(versions, { minLength: 4, maxLength: 4 }), fc.boolean()], { numRuns: 10 })(
  'deltas that C git makes are applied as C git applies them',
  (texts, byDistance) => {
    const repository = mkdtempSync(join(folder.path, 'made-'))
    run(repository, ['init', '--quiet', '--bare'])
    const contents = texts.flat()
    for (const [at, data] of contents.entries()) writeFileSync(join(repository, `${at}.file`), data)
    const paths = contents.map((_, at) => join(repository, `${at}.file`)).join('\n')
    const names = run(repository, ['hash-object', '-w', '--stdin-paths'], `${paths}\n`).toString()
    const options = ['--stdout', '--quiet', '--window=30', ...(byDistance ? ['--delta-base-offset'] : [])]
    const made = run(repository, ['pack-objects', ...options], names)
    rmSync(repository, { recursive: true })
    const expected = new Map(
      names
        .trim()
        .split('\n')
        .map((name, at) => [name, contents[at]]),
    )
    const objects = new Map<string, Buffer>()
    const source = { bytes: made.length, read: (target: Buffer, position: number) => made.copy(target, 0, position) }
    const { entries } = indexPack(source, LIMITS, {
      onDeclared() {},
      onObject: (_type, data, oids, at) => void objects.set(oids.toString('hex', at, at + 20), Buffer.from(data)),
      readBase: () => undefined,
      onProgress() {},
    })
    assert.deepEqual(objects, expected)
    let deltas = 0
    for (let entry = 0; entry < entries.count; entry++) {
      const offset = entries.offsets[entry] ?? PACK_HEADER_BYTES
      const { type, headerBytes, baseDistance, baseOidAt } = decodeEntryHeader(made, offset, offset)
      if (type !== ENTRY_TYPE.ofsDelta && type !== ENTRY_TYPE.refDelta) continue
      deltas++
      const base =
        type === ENTRY_TYPE.refDelta ? entries.find(made, offset + baseOidAt) : entries.entryAt(offset - baseDistance)
      const nameOf = (one: number): string => {
        const at = (entries.names[one] ?? 0) * 20
        return entries.oids.toString('hex', at, at + 20)
      }
      const delta = inflateSync(made.subarray(offset + headerBytes))
      const baseData = objects.get(nameOf(base)) ?? Buffer.alloc(0)
      const result = applyDelta(baseData, delta, BYTES_MAX)
      assert.ok(result.equals(objects.get(nameOf(entry)) ?? Buffer.alloc(0)))
      assert.ok(applyNaively(delta, baseData, BYTES_MAX)?.equals(result))
    }
    assert.ok(deltas > 0, 'there was something to find')
  },
)

const instruction = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(fc.nat(70), fc.integer({ min: 1, max: 30 })).map(([offset, size]) => [0x91, offset, size]),
  },
  { weight: 4, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 20 }).map((text) => [text.length, ...text]) },
  { weight: 2, arbitrary: fc.constantFrom([0x80], [0x81, 7], [0x91, 7, 0]) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.integer({ min: 0x80, max: 0xff }), fc.uint8Array({ minLength: 7, maxLength: 7 }))
      .map(([opcode, operands]) => [opcode, ...operands]),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 6 }).map((bytes) => [...bytes]) },
)
const program = fc.tuple(fc.array(instruction, { maxLength: 5 }), fc.constantFrom(0, 0, 0, -1, 1))
const BASES = [
  makeObject('blob', 'a base of some length, of which deltas copy parts, again and again\n'),
  // So long that a copy of size 0, which means 65,536 bytes, is possible.
  makeObject('blob', Buffer.alloc(66_000, 'a base of some length\n')),
]

prop([fc.array(program, { minLength: 60, maxLength: 60 }), fc.constantFrom(...BASES)], {
  numRuns: 4,
  endOnFailure: true,
})('a delta is taken where C git takes it, whatever its instructions are', (programs, base) => {
  const deltas = programs.map(([instructions, lie]) => {
    const bytes = instructions.flat()
    const { claimedBytes } = readInstructions(Buffer.from(bytes), base.data, BYTES_MAX)
    return rawDelta(base.data.length, Math.max(0, claimedBytes + lie), bytes)
  })
  const theirs = gitIndexPack(deltas.map((delta) => pack([whole(base), refDelta(base.oid, delta)])))
  for (const [at, delta] of deltas.entries()) {
    assert.equal(applied(base.data, delta), theirs[at], delta.toString('hex'))
  }
  assert.ok(theirs.includes(true) && theirs.includes(false), 'both happen')
})

prop([program, fc.constantFrom(...BASES)])(
  'a delta makes what a second decoder makes of it, or nothing',
  ([instructions, lie], { data: base }) => {
    const bytes = instructions.flat()
    const { claimedBytes } = readInstructions(Buffer.from(bytes), base, BYTES_MAX)
    const delta = rawDelta(base.length, Math.max(0, claimedBytes + lie), bytes)
    const expected = applyNaively(delta, base, BYTES_MAX)
    let made: Buffer | undefined
    try {
      made = applyDelta(base, delta, BYTES_MAX)
    } catch (error) {
      assert.ok(error instanceof PackError, String(error))
    }
    assert.deepEqual(made, expected)
  },
)

function applied(base: Buffer, delta: Buffer): boolean {
  try {
    applyDelta(base, delta, BYTES_MAX)
    return true
  } catch (error) {
    assert.ok(error instanceof PackError, String(error))
    return false
  }
}
