import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fc } from '@fast-check/vitest'
import { afterAll, beforeAll } from 'vitest'
import { cleanEnvironment } from '../integration/support/command-line.ts'
import { temporaryFolder } from '../integration/support/git.ts'
import { parseWholeCommit } from '../src/git/object/commit.ts'
import { parseTag } from '../src/git/object/tag.ts'
import { forEachTreeEntry } from '../src/git/object/tree.ts'
import { typeNameOf } from '../src/git/object/type.ts'
import { selectObjects } from '../src/git/object-graph/select.ts'
import { encodePackIndex } from '../src/git/pack/index-file.ts'
import { indexPack } from '../src/git/pack/indexer.ts'
import { ObjectStore } from '../src/storage/objects/object-store.ts'
import { readerOf } from '../src/transfer/workers/open-stores.ts'
import { ChosenObjects } from '../src/transfer/chosen-objects.ts'
import { buildPack } from '../src/transfer/pack-builder.ts'
import { history, makeHistory, run } from './histories.ts'
import { prop } from './prop.ts'

const folder = temporaryFolder('isomorphic')
const template = join(folder.path, 'empty.git')
beforeAll(() => {
  run(folder.path, ['init', '--quiet', '--bare', 'empty.git'])
})
afterAll(() => folder[Symbol.dispose]())

const READER = join(import.meta.dirname, 'isomorphic-reader.ts')
const HEAP_MB_MAX = 256
const LIMITS = { objectsMax: 10_000, objectBytesMax: 2 ** 24, inflatedBytesMax: 2 ** 26, deltaDepthMax: 60 }

interface Shown {
  readonly pack: string
  readonly oid: string
  readonly type: string
  readonly object: unknown
}

interface Theirs {
  readonly index: Buffer
  readonly objects: readonly Shown[]
}

/** @returns for each pack what isomorphic-git makes of it */
async function readByIsomorphicGit(packs: readonly Buffer[]): Promise<Theirs[]> {
  const path = mkdtempSync(join(folder.path, 'packs-'))
  const names = packs.map((_, at) => `p${at}`)
  for (const [at, pack] of packs.entries()) writeFileSync(join(path, `p${at}.pack`), pack)
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [`--max-old-space-size=${HEAP_MB_MAX}`, READER, path],
    { env: cleanEnvironment(), maxBuffer: 2 ** 28, timeout: 120_000 },
  )
  const shown = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Shown)
  const read = names.map((name) => ({
    index: readFileSync(join(path, `${name}.idx`)),
    objects: shown.filter(({ pack }) => pack === `${name}.pack`),
  }))
  rmSync(path, { recursive: true })
  return read
}

interface Ours {
  readonly index: Buffer
  /** Name → what is in it, as isomorphic-git says it. */
  readonly objects: ReadonlyMap<string, unknown>
}

function readByUs(pack: Buffer): Ours {
  const objects = new Map<string, unknown>()
  const source = { bytes: pack.length, read: (target: Buffer, position: number) => pack.copy(target, 0, position) }
  const { entries } = indexPack(source, LIMITS, {
    onDeclared() {},
    onObject: (type, data, oids, at) =>
      void objects.set(oids.toString('hex', at, at + 20), { type: typeNameOf(type), object: show(type, data) }),
    readBase: () => undefined,
    onProgress() {},
  })
  return { index: encodePackIndex(entries, pack.subarray(-20)).bytes, objects }
}

function show(type: number, data: Buffer): unknown {
  switch (typeNameOf(type)) {
    case 'commit': {
      const { tree, parents, author, committer, message } = parseWholeCommit(data)
      return { tree, parent: parents, author: author.timeS, committer: [committer.name, committer.email], message }
    }
    case 'tree': {
      const shown: string[] = []
      forEachTreeEntry(data, (mode, from, to, at) => {
        shown.push(`${mode.toString(8)} ${data.toString('utf8', from, to)} ${data.toString('hex', at, at + 20)}`)
      })
      return shown
    }
    case 'tag': {
      const { object, type: target, tag } = parseTag(data)
      return { object, target, tag }
    }
    case 'blob':
      return data.toString('latin1')
  }
}

interface TheirPerson {
  readonly name: string
  readonly email: string
  readonly timestamp: number
}

/** The same of what isomorphic-git shows. */
function showTheirs({ type, object }: Shown): unknown {
  if (type === 'blob') return object
  if (type === 'tree') {
    const entries = object as readonly { mode: string; path: string; oid: string }[]
    return entries.map(({ mode, path, oid }) => `${mode.replace(/^0/, '')} ${path} ${oid}`)
  }
  if (type === 'tag') {
    const { object: oid, type: target, tag } = object as { object: string; type: string; tag: string }
    return { object: oid, target, tag }
  }
  const { tree, parent, author, committer, message } = object as {
    tree: string
    parent: string[]
    author: TheirPerson
    committer: TheirPerson
    message: string
  }
  return { tree, parent, author: author.timestamp, committer: [committer.name, committer.email], message }
}

/** isomorphic-git ends messages with a line feed, whether they have one or not. */
function withLineFeed(shown: unknown): unknown {
  if (typeof shown !== 'object' || shown === null || !('message' in shown)) return shown
  return { ...shown, message: String(shown.message).replace(/\n*$/, '\n') }
}

async function assertReadAlike(packs: readonly Buffer[]): Promise<void> {
  const theirs = await readByIsomorphicGit(packs)
  for (const [at, pack] of packs.entries()) {
    const ours = readByUs(pack)
    const { index, objects } = theirs[at] as Theirs
    assert.ok(index.equals(ours.index), 'the index, byte for byte')
    assert.deepEqual(
      new Map(objects.map((one) => [one.oid, { type: one.type, object: withLineFeed(showTheirs(one)) }])),
      new Map(Array.from(ours.objects, ([oid, one]) => [oid, shownOf(one)])),
    )
  }
}

function shownOf(one: unknown): unknown {
  const { type, object } = one as { type: string; object: unknown }
  return { type, object: withLineFeed(object) }
}

function inRepository<T>(use: (path: string) => T): T {
  const path = mkdtempSync(join(folder.path, 'repository-'))
  cpSync(template, path, { recursive: true })
  return use(path)
}

const histories = fc.array(history('right'), { minLength: 4, maxLength: 4 })

prop([histories, fc.constantFrom(['--delta-base-offset'], [], ['--depth=0'])], { numRuns: 3, endOnFailure: true })(
  'a pack that C git made is indexed and read as isomorphic-git does',
  (all, options) =>
    assertReadAlike(
      all.map((commits) =>
        inRepository((path) => {
          makeHistory(path, commits)
          const pack = run(path, ['pack-objects', '--quiet', '--all', '--stdout', '--window=20', ...options], '')
          rmSync(path, { recursive: true })
          return pack
        }),
      ),
    ),
)

prop([histories, fc.boolean(), fc.nat()], { numRuns: 3, endOnFailure: true })(
  'a pack that we made is indexed and read as isomorphic-git does',
  async (all, ofsDelta, place) => {
    const packs: Buffer[] = []
    for (const commits of all) {
      await inRepository(async (path) => {
        const made = makeHistory(path, commits)
        run(path, ['repack', '-adfq', '--window=20'])
        const store = ObjectStore.open(path, 2 ** 20)
        const wants = [...made.commits, ...made.tags.keys()].map((oid) => Buffer.from(oid, 'hex'))
        const wanted = wants.slice(0, 1 + (place % wants.length))
        const selection = selectObjects(readerOf(store), { wants: wanted, haves: [] })
        const chunks: Buffer[] = []
        const chosen = ChosenObjects.of(store, selection)
        await buildPack(
          store,
          chosen,
          { thinPack: false, ofsDelta },
          async (chunk) => void chunks.push(Buffer.from(chunk)),
        )
        store.close()
        rmSync(path, { recursive: true })
        packs.push(Buffer.concat(chunks))
      })
    }
    await assertReadAlike(packs)
  },
)
