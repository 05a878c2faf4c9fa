import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fc } from '@fast-check/vitest'
import { afterAll, beforeAll } from 'vitest'
import { temporaryFolder } from '../integration/support/git.ts'
import { selectObjects } from '../src/git/object-graph/select.ts'
import { ObjectStore } from '../src/storage/objects/object-store.ts'
import { readerOf } from '../src/transfer/workers/open-stores.ts'
import { ChosenObjects } from '../src/transfer/chosen-objects.ts'
import { buildPack, type PackFeatures } from '../src/transfer/pack-builder.ts'
import { type Commit, history, type Made, makeHistory, run } from './histories.ts'
import { namesOf } from './names-of.ts'
import { prop } from './prop.ts'

const folder = temporaryFolder('packs')
const template = join(folder.path, 'empty.git')
beforeAll(() => {
  run(folder.path, ['init', '--quiet', '--bare', 'empty.git'])
})
afterAll(() => folder[Symbol.dispose]())

/** Works in a new bare repository, which goes away again. */
async function inRepository<T>(work: (path: string) => T | Promise<T>): Promise<T> {
  const path = mkdtempSync(join(folder.path, 'repository-'))
  try {
    cpSync(template, path, { recursive: true })
    return await work(path)
  } finally {
    rmSync(path, { recursive: true })
  }
}

/** How the sender's objects lie on its disk. */
const LAYOUTS = {
  loose: [],
  'deltas by distance': ['-c', 'repack.writeBitmaps=false', 'repack', '-adfq', '--window=20', '--depth=20'],
  'deltas by name': ['-c', 'repack.useDeltaBaseOffset=false', 'repack', '-adfq', '--window=20'],
  'with bitmaps': ['repack', '-adbfq', '--window=20'],
} as const
const layout = fc.constantFrom(...(Object.keys(LAYOUTS) as (keyof typeof LAYOUTS)[]))

/** Wants and haves by place: of a commit, or of a tag. */
interface Question {
  readonly wants: readonly number[]
  readonly haves: readonly number[]
  readonly includeTags: boolean
  readonly features: PackFeatures
}
const question: fc.Arbitrary<Question> = fc.record({
  wants: fc.array(fc.nat(1_000), { minLength: 1, maxLength: 3 }),
  haves: fc.array(fc.nat(1_000), { maxLength: 3 }),
  includeTags: fc.boolean(),
  features: fc.record({ thinPack: fc.boolean(), ofsDelta: fc.boolean() }),
})

function closureOf(repository: string, oids: readonly string[], not: readonly string[] = []): Set<string> {
  if (oids.length === 0) return new Set()
  const input = `${[...oids, ...not.map((oid) => `^${oid}`)].join('\n')}\n`
  const text = run(repository, ['rev-list', '--objects', '--no-object-names', '--stdin'], input).toString().trim()
  return new Set(text === '' ? [] : text.split('\n'))
}

const fromHex = (oids: readonly string[]): Buffer[] => oids.map((oid) => Buffer.from(oid, 'hex'))

/** Sets that contain one another, said so that a failure shows the difference. */
function assertWithin(inner: Iterable<string>, outer: ReadonlySet<string>, what: string): void {
  assert.deepEqual(
    Array.from(inner).filter((oid) => !outer.has(oid)),
    [],
    what,
  )
}

async function ask(
  repository: string,
  made: Made,
  { wants, haves, includeTags, features }: Question,
  clocks: 'right' | 'wrong',
): Promise<void> {
  const all = [...made.commits, ...made.tags.keys()]
  const at = (place: number): string => all[place % all.length] ?? ''
  const tagNames = Array.from(made.tags.keys())
  const [wanted, had] = [wants.map(at), haves.map(at)]
  const store = ObjectStore.open(repository, 2 ** 20)
  try {
    const annotatedTags = includeTags ? fromHex(tagNames) : []
    const selection = selectObjects(readerOf(store), { wants: fromHex(wanted), haves: fromHex(had), annotatedTags })
    const selected = namesOf(store, selection)
    assert.equal(new Set(selected).size, selected.length, 'each object once')
    const [reachable, known] = [closureOf(repository, wanted), closureOf(repository, had)]
    const needed = Array.from(reachable).filter((oid) => !known.has(oid))
    assertWithin(needed, new Set(selected), 'nothing that the receiver lacks is left out')
    const tags = new Set(includeTags ? tagNames : [])
    assertWithin(
      selected.filter((oid) => !tags.has(oid)),
      reachable,
      'nothing is sent that is not wanted',
    )
    if (clocks === 'right') {
      const listed = closureOf(repository, wanted, had)
      assertWithin(
        selected.filter((oid) => !tags.has(oid)),
        listed,
        'no more than C git lists',
      )
    }
    if (includeTags) {
      for (const [tag, target] of made.tags) {
        if (selected.includes(target)) assert.ok(selected.includes(tag) || known.has(tag), `tag ${tag} is missing`)
      }
    }
    const chunks: Buffer[] = []
    await buildPack(
      store,
      ChosenObjects.of(store, selection),
      features,
      async (chunk) => void chunks.push(Buffer.from(chunk)),
    )
    await inRepository((receiver) =>
      receive(repository, receiver, { wanted, had, selected, pack: Buffer.concat(chunks), features }),
    )
  } finally {
    store.close()
  }
}

interface Sent {
  readonly wanted: readonly string[]
  readonly had: readonly string[]
  readonly selected: readonly string[]
  readonly pack: Buffer
  readonly features: PackFeatures
}

/** C git takes the pack, and has all that was wanted then. */
function receive(sender: string, receiver: string, { wanted, had, selected, pack, features }: Sent): void {
  if (had.length > 0) {
    const before = run(sender, ['pack-objects', '--quiet', '--revs', '--stdout'], `${had.join('\n')}\n`)
    run(receiver, ['index-pack', '--stdin'], before)
  }
  const options = features.thinPack ? ['--fix-thin'] : []
  const said = run(receiver, ['index-pack', '--strict', '--stdin', ...options], pack)
    .toString()
    .trim()
  const index = join(receiver, 'objects/pack', `${said.replace('\t', '-')}.idx`)
  const listed = run(receiver, ['show-index'], readFileSync(index)).toString().trim()
  const inPack = new Set(listed === '' ? [] : listed.split('\n').map((line) => line.split(' ')[1] ?? ''))
  assertWithin(selected, inPack, 'all that was selected is in the pack')
  if (!features.thinPack) assert.equal(inPack.size, selected.length)
  // Fails where anything on the way is missing.
  closureOf(receiver, wanted)
}

async function check(
  clocks: 'right' | 'wrong',
  commits: readonly Commit[],
  questions: readonly Question[],
  where: keyof typeof LAYOUTS,
): Promise<void> {
  await inRepository(async (repository) => {
    const made = makeHistory(repository, commits)
    const repack = LAYOUTS[where]
    if (repack.length > 0) run(repository, repack)
    for (const one of questions) await ask(repository, made, one, clocks)
  })
}

const questions = fc.array(question, { minLength: 2, maxLength: 2 })

prop([history('right'), questions, layout], { numRuns: 15 })(
  'a pack holds what C git lists, and C git takes it',
  (commits, asked, where) => check('right', commits, asked, where),
)

prop([history('wrong'), questions, layout], { numRuns: 25 })(
  'where clocks were wrong a pack may hold more, and never lacks an object',
  (commits, asked, where) => check('wrong', commits, asked, where),
)
