import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { Git, temporaryFolder } from '../../../integration/support/git.ts'
import { openFiles } from '../../../integration/support/open-files.ts'
import { importHistory } from '../../../integration/support/history.ts'
import { blob, commit, delta, pack, refDelta, tag, tree, whole } from '../../../integration/support/pack-maker.ts'
import { NO_FILTER } from '../../git/object-graph/filter.ts'
import type { PackLimits } from '../../git/pack/limits.ts'
import { diskFileSystem, type WritableFile } from '../../storage/file-system.ts'
import { GitWorkers } from './pool.ts'
import type { TaskProgress } from './remote-file.ts'
import { NO_TAGS } from '../named-objects.ts'

const LIMITS: PackLimits = {
  objectsMax: 100_000,
  objectBytesMax: 2 ** 26,
  inflatedBytesMax: 2 ** 30,
  deltaDepthMax: 50,
}
const never = new AbortController().signal

const folder = temporaryFolder('pool')
const source = join(folder.path, 'source.git')
/** Of all threads: how often a file below the source is open. */
const descriptors = (): number => openFiles(source).length
let workers: GitWorkers
let number = 0
let path: string

beforeAll(async () => {
  await new Git(folder.path).run('init', '--quiet', '--bare', '--initial-branch=main', 'source.git')
  const history = { seed: 21, commits: 300, filesPerCommit: 3, fileBytes: 2_000, mergeEvery: 9, tagEvery: 40 }
  await importHistory(source, history)
  await new Git(source).run('repack', '-adq')
  workers = new GitWorkers()
})
afterAll(async () => {
  await workers.close()
  folder[Symbol.dispose]()
})
beforeEach(() => {
  path = join(folder.path, `file-${number++}`)
})

/** Runs with a file that the worker writes, which is closed in the end as the callers do. */
async function withFile<T>(work: (file: WritableFile) => Promise<T>): Promise<T> {
  const file = await diskFileSystem.create(path)
  try {
    return await work(file)
  } finally {
    await file.close()
  }
}

const failingFile: WritableFile = {
  async write() {
    throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
  },
  async sync() {},
  async close() {},
}
const features = { thinPack: true, ofsDelta: true }
const revision = async (name: string): Promise<string> => new Git(source).run('rev-parse', name)

describe('building', () => {
  const spec = async (wants: string[], haves: string[]) => ({
    repositoryPath: source,
    wants: await Promise.all(wants.map(revision)),
    haves: await Promise.all(haves.map(revision)),
    annotatedTags: NO_TAGS,
    shallow: [],
    filter: NO_FILTER,
    sparse: [],
    features,
  })

  it('writes a pack that C git takes, and says what it wrote', async () => {
    const progress: TaskProgress[] = []
    const task = await spec(['main', 'side'], ['main~40'])
    const result = await withFile((file) =>
      workers.build(task, { file, onProgress: (one) => progress.push(one) }, never),
    )
    const bytes = readFileSync(path)
    expect(result).toMatchObject({ kind: 'built', bytes: bytes.length, objects: bytes.readUInt32BE(8) })
    expect(progress.at(-1)).toMatchObject({ phase: 'writing', done: bytes.length })
    const receiver = join(folder.path, `receiver-${number}.git`)
    await new Git(folder.path).run('clone', '--quiet', '--bare', source, receiver)
    const indexed = spawnSync('git', ['index-pack', '--strict', '--fix-thin', '--stdin'], {
      cwd: receiver,
      input: bytes,
    })
    expect(indexed.status).toBe(0)
  })

  it('names the stored pack where that is just what is wanted, and writes nothing', async () => {
    const refs = (await new Git(source).run('for-each-ref', '--format=%(objectname)')).split('\n')
    const task = { ...(await spec([], [])), wants: refs }
    const result = await workers.build(task, { file: failingFile, onProgress() {} }, never)
    const stored = readdirSync(join(source, 'objects/pack')).find((name) => name.endsWith('.pack')) ?? ''
    expect(result).toMatchObject({ kind: 'stored', packPath: join(source, 'objects/pack', stored) })
  })

  it('goes on after a rest, before which it has read the same', async () => {
    const task = await spec(['main'], ['main~5'])
    const built = await withFile((file) => workers.build(task, { file, onProgress() {} }, never))
    await workers.rest()
    path = `${path}-again`
    expect(await withFile((file) => workers.build(task, { file, onProgress() {} }, never))).toEqual(built)
  })

  it("ends with the disk's own error where the file cannot be written", async () => {
    const task = await spec(['main'], [])
    const building = workers.build(task, { file: failingFile, onProgress() {} }, never)
    await expect(building).rejects.toMatchObject({ code: 'ENOSPC' })
  })

  it('ends when its signal comes, and gives back what its thread had open', async () => {
    const before = descriptors()
    const task = await spec(['main'], ['main~5'])
    for (let i = 0; i < 4; i++) {
      const controller = new AbortController()
      const slow: WritableFile = {
        ...failingFile,
        write: () => new Promise(() => controller.abort(new Error('client left'))),
      }
      await expect(workers.build(task, { file: slow, onProgress() {} }, controller.signal)).rejects.toThrow(/abort/i)
    }
    await vi.waitFor(() => expect(descriptors()).toBeLessThanOrEqual(before), 10_000)
    expect(await workers.negotiate({ repositoryPath: source, wants: task.wants, common: task.haves }, never)).toBe(true)
  })

  it('is refused where an object is missing, and the next task is not', async () => {
    const task = { ...(await spec(['main'], [])), wants: ['ab'.repeat(20)] }
    await expect(workers.build(task, { file: failingFile, onProgress() {} }, never)).rejects.toThrow('is missing')
    expect(
      await workers.negotiate({ repositoryPath: source, wants: [await revision('main')], common: [] }, never),
    ).toBe(false)
  })
})

describe('indexing', () => {
  const base = blob('the base '.repeat(30))
  const index = async (bytes: Buffer, tips: readonly string[], repositoryPath = source) => {
    writeFileSync(path, bytes)
    const handle = await open(path, 'r+')
    const file: WritableFile = {
      async write(piece, position) {
        await handle.write(piece, 0, piece.length, position)
      },
      sync: () => handle.sync(),
      close: () => handle.close(),
    }
    try {
      const task = { repositoryPath, packPath: path, limits: LIMITS, tips }
      return await workers.index(task, { file, onProgress() {} }, never)
    } finally {
      await handle.close()
    }
  }
  let empty: string
  beforeEach(async () => {
    empty = join(folder.path, `empty-${number}.git`)
    await new Git(folder.path).run('init', '--quiet', '--bare', empty)
  })
  afterEach(() => {
    // Whatever came of it, the pack is where it was and nowhere else.
    expect(readdirSync(join(empty, 'objects/pack'))).toEqual([])
  })

  it('says what a pack holds, what its tips are, and how it is indexed by C git', async () => {
    const root = tree(['100644', 'a', base.oid])
    const change = commit(root.oid)
    const inner = tag(change.oid, 'commit', 'inner')
    const outer = tag(inner.oid, 'tag', 'outer')
    const bytes = pack([base, root, change, inner, outer].map((one) => whole(one)))
    const result = await index(bytes, [change.oid, outer.oid, inner.oid, root.oid, 'ab'.repeat(20)], empty)
    expect(result).toMatchObject({
      accepted: true,
      objects: 5,
      counts: { commits: 1, trees: 1, blobs: 1, tags: 2 },
      packBytes: bytes.length,
      tips: [
        { oid: change.oid, type: 1, peeled: null },
        { oid: outer.oid, type: 4, peeled: change.oid },
        { oid: inner.oid, type: 4, peeled: change.oid },
        { oid: root.oid, type: 2, peeled: null },
        { oid: 'ab'.repeat(20), type: undefined, peeled: null },
      ],
    })
    const theirs = join(folder.path, `theirs-${number}.idx`)
    spawnSync('git', ['index-pack', '-o', theirs, path])
    if (result.accepted) expect(Buffer.from(result.index).equals(readFileSync(theirs))).toBe(true)
  })

  it('has told all of its progress when it is through', async () => {
    writeFileSync(path, pack([whole(base), refDelta(base.oid, delta(base.data.length, 'the top'))]))
    const task = { repositoryPath: empty, packPath: path, limits: LIMITS, tips: [] }
    for (let i = 0; i < 200; i++) {
      const seen: TaskProgress[] = []
      await workers.index(task, { file: failingFile, onProgress: (one) => seen.push(one) }, never)
      expect({ run: i, last: seen.at(-1) }).toMatchObject({ last: { phase: 'resolving', done: 2, total: 2 } })
    }
  })

  it('completes a thin pack, so that C git finds it whole', async () => {
    spawnSync('git', ['hash-object', '-w', '--stdin'], { cwd: empty, input: base.data })
    const top = blob('the top')
    const result = await index(pack([refDelta(base.oid, delta(base.data.length, top.data))]), [], empty)
    expect(result).toMatchObject({
      accepted: true,
      objects: 1,
      counts: { blobs: 1 },
      packBytes: readFileSync(path).length,
    })
    writeFileSync(`${path}.pack`, readFileSync(path))
    if (result.accepted) writeFileSync(`${path}.idx`, result.index)
    const { status, stdout, stderr } = spawnSync('git', ['verify-pack', '-v', `${path}.idx`])
    expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: '' })
    expect([base, top].filter(({ oid }) => !stdout.toString().includes(oid))).toEqual([])
  })

  it('says of a pack that is none what is wrong with it', async () => {
    expect(await index(pack([whole(base)], 2), [], empty)).toMatchObject({ accepted: false, code: 'pack_truncated' })
    const orphan = tree(['100644', 'a', 'ab'.repeat(20)])
    expect(await index(pack([whole(orphan)]), [], empty)).toMatchObject({ accepted: false })
    const evil = tree(['100644', '.git', base.oid])
    expect(await index(pack([whole(base), whole(evil)]), [], empty)).toMatchObject({ accepted: false })
  })

  it("does not say that it is the pusher's pack where it is ours that is damaged", async () => {
    const damaged = join(folder.path, `damaged-${number}.git`)
    await new Git(folder.path).run('clone', '--quiet', '--bare', '--no-local', source, damaged)
    const stored = readdirSync(join(damaged, 'objects/pack')).find((name) => name.endsWith('.pack')) ?? ''
    const storedPath = join(damaged, 'objects/pack', stored)
    const bytes = readFileSync(storedPath)
    spawnSync('chmod', ['u+w', storedPath])
    writeFileSync(
      storedPath,
      Buffer.concat([bytes.subarray(0, 12), Buffer.alloc(bytes.length - 32, 0x9f), bytes.subarray(-20)]),
    )
    const known = await revision('main')
    const again = refDelta(known, delta(10, 'x'))
    await expect(index(pack([again]), [], damaged)).rejects.toThrow('is damaged')
  })
})

it('has nothing open between tasks, and works on', async () => {
  const task = { repositoryPath: source, oids: [await revision('main')] }
  for (let round = 0; round < 3; round++) {
    expect(await workers.measure(task, never)).toEqual([expect.any(Number)])
    // A repository that is deleted meanwhile would keep its space on the disk.
    expect(descriptors()).toBe(0)
  }
})

it('leaves no task running when it is closed', async () => {
  const own = new GitWorkers()
  const stuck: WritableFile = { ...failingFile, write: () => new Promise(() => {}) }
  const task = {
    repositoryPath: source,
    wants: [await revision('main')],
    haves: [await revision('main~3')],
    annotatedTags: NO_TAGS,
    shallow: [],
    filter: NO_FILTER,
    sparse: [],
    features,
  }
  const running = expect(own.build(task, { file: stuck, onProgress() {} }, never)).rejects.toThrow()
  await own.close()
  await running
})
