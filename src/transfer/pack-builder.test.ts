import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { Git, temporaryFolder } from '../../integration/support/git.ts'
import { blob, delta, type MadeObject, ofsDelta, pack, refDelta, whole } from '../../integration/support/pack-maker.ts'
import type { Selection } from '../git/object-graph/select.ts'
import { encodePackIndex } from '../git/pack/index-file.ts'
import { ObjectStore } from '../storage/objects/object-store.ts'
import { ChosenObjects } from './chosen-objects.ts'
import { buildPack, DELTA_DEPTH_MAX, type PackFeatures } from './pack-builder.ts'

const folder = temporaryFolder('pack-builder')
afterAll(() => folder[Symbol.dispose]())

let number = 0
let repository: string
beforeEach(async () => {
  repository = join(folder.path, `${number++}.git`)
  await new Git(folder.path).run('init', '--quiet', '--bare', repository)
})

/** As a push may have left it: C git judges it first. */
function store(entries: readonly Buffer[]): ObjectStore {
  const input = pack(entries)
  const { status, stderr } = spawnSync('git', ['index-pack', '--strict', '--stdin'], { cwd: repository, input })
  expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: '' })
  return ObjectStore.open(repository, 2 ** 20)
}

const select = (objects: readonly MadeObject[], known: readonly MadeObject[] = []): Selection => ({
  oids: Buffer.from(objects.map(({ oid }) => oid).join(''), 'hex'),
  count: objects.length,
  isKnown: (oid, at) => known.some((one) => one.oid === oid.toString('hex', at, at + 20)),
})

async function build(from: ObjectStore, selection: Selection, features: Partial<PackFeatures> = {}): Promise<Buffer> {
  const chunks: Buffer[] = []
  try {
    const both = { thinPack: false, ofsDelta: true, ...features }
    await buildPack(
      from,
      ChosenObjects.of(from, selection),
      both,
      async (chunk) => void chunks.push(Buffer.from(chunk)),
    )
  } finally {
    from.close()
  }
  return Buffer.concat(chunks)
}

/** What C git finds in it: the types of its entries by `git verify-pack`. @param bases that the receiver has */
function entriesOf(bytes: Buffer, bases: readonly MadeObject[] = []): string[] {
  const receiver = join(folder.path, `${number++}.git`)
  spawnSync('git', ['init', '--quiet', '--bare', receiver])
  for (const { data } of bases) spawnSync('git', ['hash-object', '-w', '--stdin'], { cwd: receiver, input: data })
  const args = ['index-pack', '--strict', '--stdin', ...(bases.length > 0 ? ['--fix-thin'] : [])]
  const { status, stdout, stderr } = spawnSync('git', args, { cwd: receiver, input: bytes })
  expect({ status, stderr: stderr.toString() }).toMatchObject({ status: 0 })
  const path = join(receiver, 'objects/pack', `${stdout.toString().trim().replace('\t', '-')}.idx`)
  const verified = spawnSync('git', ['verify-pack', '-v', path]).stdout.toString()
  return verified
    .split('\n')
    .filter((line) => /^[0-9a-f]{40} /.test(line))
    .map((line) => {
      const parts = line.split(/ +/)
      return parts.length > 5 ? `delta ${parts[5]}` : 'whole'
    })
}

const base = blob('the base '.repeat(50))
const top = blob('the top of it '.repeat(50))
const toTop = delta(base.data.length, top.data)
const firstBase = [whole(base), ofsDelta(whole(base).length, toTop)]
const lastBase = [refDelta(base.oid, toTop), whole(base)]
/** Nobody wants it: so the pack is not taken as a whole. */
const bystander = whole(blob('not wanted'))

describe('a stored delta', () => {
  it.each([
    { name: 'is sent with its whole pack', entries: lastBase, features: {}, sent: ['delta 1', 'whole'] },
    { name: 'is sent as it is', entries: [bystander, ...firstBase], features: {}, sent: ['whole', 'delta 1'] },
    {
      name: 'is sent by the name of its base',
      entries: [bystander, ...firstBase],
      features: { ofsDelta: false },
      sent: ['whole', 'delta 1'],
    },
    {
      name: 'comes after its base, wherever that was',
      entries: [...lastBase, bystander],
      features: {},
      sent: ['whole', 'delta 1'],
    },
  ])('$name', async ({ entries, features, sent }) => {
    const bytes = await build(store(entries), select([base, top]), features)
    expect(entriesOf(bytes)).toEqual(sent)
  })

  it.each([
    {
      name: 'whole where its base is neither sent nor known',
      known: [],
      features: { thinPack: true },
      sent: ['whole'],
    },
    {
      name: 'whole where the receiver takes no thin packs',
      known: [base],
      features: { thinPack: false },
      sent: ['whole'],
    },
    {
      name: 'as it is where the receiver has its base',
      known: [base],
      features: { thinPack: true },
      sent: ['delta 1', 'whole'],
    },
  ])('is sent $name', async ({ known, features, sent }) => {
    const bytes = await build(store(firstBase), select([top], known), features)
    expect(entriesOf(bytes, known).sort()).toEqual(sent)
  })

  it('leans on what is sent from another pack, but no two lean on each other', async () => {
    // In one pack the top is made from the base, in the other one the base from the top.
    store(firstBase).close()
    const both = store([whole(top), ofsDelta(whole(top).length, delta(top.data.length, base.data))])
    expect(both.packs).toHaveLength(2)
    expect(entriesOf(await build(both, select([base, top]))).sort()).toEqual(['delta 1', 'whole'])
  })

  it(`is made whole where as many as ${DELTA_DEPTH_MAX} would lie between it and something whole`, async () => {
    const versions = Array.from({ length: DELTA_DEPTH_MAX + 2 }, (_, at) => blob(`version ${at} `.repeat(20)))
    const changes = versions.map(({ oid, data }, at) => {
      const next = versions[at + 1]
      return next === undefined ? Buffer.alloc(0) : refDelta(oid, delta(data.length, next.data))
    })
    const bytes = await build(store([bystander, whole(versions[0] ?? base), ...changes.slice(0, -1)]), select(versions))
    const depths = versions.map((_, depth) => (depth === 0 ? 'whole' : `delta ${depth}`)).slice(0, -1)
    expect(entriesOf(bytes).sort()).toEqual([...depths, 'whole'].sort())
  })
})

it("sends large objects in pieces, with the pack's own checksum", async () => {
  const noise = Buffer.from(Array.from({ length: 700_000 }, (_, at) => (at * at * 2_654_435_761) >>> 24))
  const large = blob(noise)
  const bytes = await build(store([whole(large), whole(base)]), select([base, large]))
  expect(bytes.length).toBeGreaterThan(2 * 256 * 1024)
  expect(entriesOf(bytes)).toEqual(['whole', 'whole'])
})

it('sends loose objects, and an empty pack', async () => {
  spawnSync('git', ['hash-object', '-w', '--stdin'], { cwd: repository, input: base.data })
  expect(entriesOf(await build(ObjectStore.open(repository, 2 ** 20), select([base])))).toEqual(['whole'])
  expect(entriesOf(await build(ObjectStore.open(repository, 2 ** 20), select([])))).toEqual([])
})

it('ends with an error, and not never, where a stored pack is shorter than its index says', async () => {
  const bytes = pack([whole(base)])
  const offsets = Float64Array.of(12, bytes.length + 1_000)
  const oids = Buffer.from(base.oid + top.oid, 'hex')
  const index = encodePackIndex(
    { count: 2, oids, names: Int32Array.of(0, 1), crcs: new Uint32Array(2), offsets },
    bytes.subarray(-20),
  )
  const path = join(repository, 'objects/pack', `pack-${index.packName}`)
  writeFileSync(`${path}.pack`, bytes)
  writeFileSync(`${path}.idx`, index.bytes)
  expect(readFileSync(`${path}.pack`).length).toBeLessThan(bytes.length + 1_000)
  const truncated = { detail: { code: 'pack_truncated' } }
  await expect(build(ObjectStore.open(repository, 2 ** 20), select([base]))).rejects.toMatchObject(truncated)
  await expect(build(ObjectStore.open(repository, 2 ** 20), select([top]))).rejects.toMatchObject(truncated)
})

it('stops where nobody takes its pieces any more', async () => {
  const from = store([
    whole(blob(Buffer.from(Array.from({ length: 600_000 }, (_, at) => (at * at * 2_654_435_761) >>> 24)))),
  ])
  const [only] = from.packs
  const oids = Buffer.alloc(20)
  only?.index.copyOid(0, oids, 0)
  const failing = buildPack(
    from,
    ChosenObjects.of(from, { oids, count: 1, isKnown: () => false }),
    { thinPack: false, ofsDelta: true },
    async () => {
      throw new Error('disk full')
    },
  )
  await expect(failing).rejects.toThrow('disk full')
  from.close()
})
