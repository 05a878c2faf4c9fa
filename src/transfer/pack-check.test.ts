import { execFileSync } from 'node:child_process'
import { createCipheriv, hash, randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { temporaryFolder } from '../../integration/support/git.ts'
import { openFiles } from '../../integration/support/open-files.ts'
import { blob, commit, delta, pack, refDelta, tree, whole, withChecksum } from '../../integration/support/pack-maker.ts'
import { Random } from '../../integration/support/random.ts'
import { createMetrics } from '../observability/metrics.ts'
import { diskFileSystem } from '../storage/file-system.ts'
import { type Accepted, PackCheck } from './pack-check.ts'
import { FileSink } from './pack-sink.ts'
import { PackSlots } from './pack-slots.ts'
import { ProgressWatch } from './progress-watch.ts'
import type { TransferParts } from './transfer.ts'
import { GitWorkers, SLOTS } from './workers/pool.ts'
import type { IndexResult } from './workers/tasks.ts'

const LIMITS = { packObjectsMax: 1_000, objectBytesMax: 2 ** 24, packInflatedBytesMax: 2 ** 28, deltaDepthMax: 50 }
const SEED = Number(process.env['PACK_CHECK_SEED'] ?? randomInt(2 ** 32))
const MEBIBYTE = 2 ** 20
/** A thread may have to be started first. */
const WAIT = { timeout: 20_000, interval: 10 }
const never = new AbortController().signal

const folder = temporaryFolder('pack-check')
const repository = join(folder.path, 'r.git')
const workers = new GitWorkers()
const metrics = createMetrics({ routePaths: [], version: '1', onCollectError() {} })
/** Of each check that a thread was given: whether its pack was still coming, and what came of it. */
let checks: { early: boolean; kill: () => void; result?: IndexResult }[] = []
let warnings: string[] = []
let slots: PackSlots
let number = 0
let withdrawals = 0

const noise = createCipheriv('aes-256-ctr', Buffer.alloc(32, 9), Buffer.alloc(16))
const large = blob(noise.update(Buffer.alloc(1.3 * MEBIBYTE)))
const files = Array.from({ length: 40 }, () => blob(noise.update(Buffer.alloc(2_000))))
const base = blob('the base '.repeat(30))
const changed = blob('changed '.repeat(20))
const root = tree(
  ['100644', 'changed', changed.oid],
  ...files.map(({ oid }, at) => ['100644', `f${at + 10}`, oid] as const),
  ['100644', 'large', large.oid],
)
const tip = commit(root.oid)
const change = refDelta(base.oid, delta(base.data.length, changed.data))
const rest = [...files.map((file) => whole(file)), whole(root), whole(tip)]
const thin = pack([whole(large), change, ...rest])
const good = pack([whole(large), whole(base), change, ...rest])

beforeAll(() => {
  execFileSync('git', ['init', '--quiet', '--bare', repository])
  execFileSync('git', ['hash-object', '-w', '--stdin'], { cwd: repository, input: base.data })
})
beforeEach(() => {
  checks = []
  warnings = []
  slots = new PackSlots(10, metrics)
  // How fast bytes come is decided here, and not by what else the machine does.
  vi.spyOn(performance, 'now').mockReturnValue(0)
})
afterEach(() => vi.restoreAllMocks())
afterAll(async () => {
  await workers.close()
  folder[Symbol.dispose]()
})

/** A pack on its way, as `takePack` treats it. */
class Incoming implements AsyncDisposable {
  readonly path = join(folder.path, `incoming-${number++}.pack`)
  readonly leaving = new AbortController()
  readonly progress: string[] = []
  readonly #watch = new ProgressWatch(this.leaving.signal, 60_000, metrics)
  readonly #stack = new AsyncDisposableStack()
  #check: PackCheck | undefined
  #sink: FileSink | undefined

  static async open(threads = workers): Promise<Incoming> {
    const incoming = new Incoming()
    const file = await diskFileSystem.create(incoming.path)
    const parts = {
      limits: LIMITS,
      files: { path: () => repository, packs: { withdrawals: () => withdrawals } },
      packSlots: slots,
      logger: { warn: (_fields: object, message: string) => warnings.push(message) },
      workers: {
        async index(...args: Parameters<GitWorkers['index']>) {
          const [task, target, signal] = args
          const killing = new AbortController()
          const check: (typeof checks)[number] = { early: task.arrival !== undefined, kill: () => killing.abort() }
          checks.push(check)
          return (check.result = await threads.index(task, target, AbortSignal.any([signal, killing.signal])))
        },
      },
    } as unknown as TransferParts
    const check = new PackCheck(file, incoming.path, {
      directory: folder.path,
      repository: { id: 'r', owner: 'o', name: 'r' },
      tips: [tip.oid],
      watch: incoming.#watch,
      parts,
      onProgress: ({ phase }) => incoming.progress.push(phase),
    })
    const sink = new FileSink(file, (bytes) => check.reached(bytes, sink.declaredObjects))
    incoming.#check = check
    incoming.#sink = sink
    incoming.#stack.defer(() => file.close())
    incoming.#stack.defer(() => sink.close())
    incoming.#stack.defer(() => check.close())
    incoming.#stack.defer(() => incoming.#watch.stop())
    return incoming
  }

  async give(bytes: Buffer): Promise<void> {
    await this.#sink?.write(bytes)
    await this.#sink?.flush()
  }

  async finish(): Promise<object> {
    return outcomeOf(await this.#check!.finish(this.#sink!.declaredObjects), this.path)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }
}

const outcomeOf = (result: Accepted, path: string): object => ({
  ...result,
  index: hash('sha1', result.index),
  pack: hash('sha1', readFileSync(path)),
})

/** What becomes of a pack that is whole when its check begins. */
async function inOnePiece(bytes: Buffer): Promise<object | string> {
  const packPath = join(folder.path, `whole-${number++}.pack`)
  const file = await diskFileSystem.create(packPath)
  try {
    await file.write(bytes, 0)
    const { packObjectsMax: objectsMax, packInflatedBytesMax: inflatedBytesMax, ...others } = LIMITS
    const limits = { objectsMax, inflatedBytesMax, ...others }
    const task = { repositoryPath: repository, packPath, limits, tips: [tip.oid] }
    const result = await workers.index(task, { file, onProgress() {} }, never)
    return result.accepted ? outcomeOf({ ...result, withdrawals }, packPath) : result.reason
  } finally {
    await file.close()
  }
}

async function inPieces(bytes: Buffer, sizeOf: () => number): Promise<object | string> {
  await using incoming = await Incoming.open()
  for (let at = 0; at < bytes.length;) {
    const piece = bytes.subarray(at, at + sizeOf())
    await incoming.give(piece)
    at += piece.length
  }
  return await incoming.finish().catch((error: Error) => error.message)
}

const flipped = (bytes: Buffer, at: number): Buffer => {
  const copy = Buffer.from(bytes)
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at)
  return copy
}

describe(`a pack that comes in pieces of any size (PACK_CHECK_SEED=${SEED}) is the same as one that comes whole`, () => {
  const unnamed = commit('ab'.repeat(20))
  it.each([
    { name: 'a good one', bytes: good, fine: true },
    { name: 'a thin one', bytes: thin, fine: true },
    { name: 'one that does not match its checksum', bytes: flipped(good, good.length - 1) },
    { name: 'one with bytes behind it', bytes: Buffer.concat([good, Buffer.alloc(30)]) },
    { name: 'one that ends too early', bytes: withChecksum(good.subarray(0, -200)) },
    { name: 'one without a checksum', bytes: good.subarray(0, -20) },
    { name: 'one that declares an object too many', bytes: pack([whole(large), ...rest], rest.length + 2) },
    { name: 'one that declares an object too few', bytes: pack([whole(large), ...rest], rest.length) },
    {
      name: 'one that declares far too many, with an entry of no type',
      bytes: pack([whole(large), Buffer.alloc(9_000)], 999),
    },
    { name: 'one with damage in its large blob', bytes: flipped(good, MEBIBYTE + 5) },
    { name: 'one with damage behind that', bytes: flipped(good, good.length - 2_500) },
    {
      name: 'one that lies about a size beyond all that is there',
      bytes: pack([whole(large), whole(files[0]!, 2 ** 23)]),
    },
    {
      name: 'one with an object that git refuses',
      bytes: pack([whole(large), whole(tree(['100644', '.git', large.oid]))]),
    },
    { name: 'one in which an object is missing', bytes: pack([whole(large), whole(unnamed)]) },
    { name: 'one with an object twice', bytes: pack([whole(large), whole(base), whole(base)]) },
    {
      name: 'a thin one with an object twice',
      bytes: pack([whole(large), change, whole(files[0]!), whole(files[0]!)]),
    },
    { name: 'one whose delta has no base', bytes: pack([whole(large), refDelta('cd'.repeat(20), delta(3, 'x'))]) },
  ])('$name', async ({ bytes, fine = false }) => {
    const expected = await inOnePiece(bytes)
    expect(typeof expected).toBe(fine ? 'object' : 'string')
    const random = new Random(SEED)
    for (const most of [5_000, 3 * MEBIBYTE]) {
      checks = []
      const got = await inPieces(bytes, () => random.below(random.below(most) + 1) + 1)
      expect(got, `pieces of up to ${most} bytes`).toEqual(expected)
      expect(checks.map(({ early }) => early).slice(0, 1)).toEqual([true])
      // What is good is looked at once.
      if (fine) expect(checks).toHaveLength(1)
    }
  })

  it('byte by byte', async () => {
    const expected = await inOnePiece(thin)
    const sizes = [MEBIBYTE + 300_000]
    expect(await inPieces(thin, () => sizes.pop() ?? 1)).toEqual(expected)
    expect(checks).toHaveLength(1)
  })
})

describe('a pack that stops coming', () => {
  const begun = (count: number): Promise<void> =>
    vi.waitFor(() => expect(checks.filter(({ early }) => early)).toHaveLength(count), WAIT)

  it("stands in nobody else's way: whoever has all of his pack goes first, and it is checked when it is whole", async () => {
    await using stack = new AsyncDisposableStack()
    const stalled: Incoming[] = []
    for (let at = 0; at <= SLOTS; at++) {
      const incoming = stack.use(await Incoming.open())
      await incoming.give(good.subarray(0, -50))
      stalled.push(incoming)
    }
    await begun(SLOTS)
    expect(await inPieces(good, () => good.length)).toMatchObject({ accepted: true })
    const expected = await inOnePiece(good)
    for (const incoming of stalled) {
      await incoming.give(good.subarray(-50))
      expect(await incoming.finish()).toEqual(expected)
    }
    // Each stalled one, and the one that came whole; then those that had given up, once more.
    expect(checks.filter(({ result }) => result?.accepted)).toHaveLength(SLOTS + 2)
  })

  it('says nothing while the client sends', async () => {
    await using incoming = await Incoming.open()
    await incoming.give(good.subarray(0, -50))
    await begun(1)
    expect(incoming.progress).toEqual([])
    await incoming.give(good.subarray(-50))
    await incoming.finish()
    expect(incoming.progress.length).toBeGreaterThan(0)
  })

  it.each([
    { name: 'before its check begins', at: MEBIBYTE - 1, early: 0 },
    { name: 'in its large blob', at: MEBIBYTE + 1, early: 1 },
    { name: 'in its last object', at: good.length - 25, early: 1 },
    { name: 'in its checksum', at: good.length - 1, early: 1 },
    { name: 'with its last byte', at: good.length, early: 1 },
  ])('for good, $name, leaves no thread and no file behind', async ({ at, early }) => {
    {
      await using incoming = await Incoming.open()
      await incoming.give(good.subarray(0, at))
      await begun(early)
      incoming.leaving.abort(new Error('left'))
    }
    expect(checks.map(({ result }) => result?.accepted)).toEqual(Array.from({ length: early }, () => false))
    expect(openFiles(folder.path)).toEqual([])
    expect(await inPieces(good, () => good.length)).toMatchObject({ accepted: true })
  })

  it('is checked when it is whole, where the thread died that had begun with it', async () => {
    await using incoming = await Incoming.open()
    await incoming.give(thin.subarray(0, -50))
    await begun(1)
    checks[0]?.kill()
    await incoming.give(thin.subarray(-50))
    expect(await incoming.finish()).toEqual(await inOnePiece(thin))
    expect(checks.map(({ early }) => early)).toEqual([true, false])
    expect(warnings).toHaveLength(1)
  })

  it('is checked when it is whole, where something was taken from the repository meanwhile', async () => {
    await using incoming = await Incoming.open()
    await incoming.give(thin.subarray(0, -50))
    await begun(1)
    withdrawals++
    await incoming.give(thin.subarray(-50))
    expect(await incoming.finish()).toEqual(await inOnePiece(thin))
    expect(checks.map(({ early, result }) => [early, result?.accepted])).toEqual([
      [true, false],
      [false, true],
    ])
    expect(warnings).toEqual([])
  })

  it('may name what came here meanwhile', async () => {
    const late = `come meanwhile ${SEED}`
    const naming = tree(['100644', 'large', large.oid], ['100644', 'late', blob(late).oid])
    const bytes = pack([whole(large), change, whole(naming), whole(commit(naming.oid))])
    await using incoming = await Incoming.open()
    await incoming.give(bytes.subarray(0, -5))
    await begun(1)
    // It looks at the repository when it begins, and is through with the blob long after that.
    await vi.waitFor(() => expect(openFiles(incoming.path)).toHaveLength(2), WAIT)
    execFileSync('git', ['hash-object', '-w', '--stdin'], { cwd: repository, input: late })
    await incoming.give(bytes.subarray(-5))
    expect(await incoming.finish()).toMatchObject({ accepted: true, completed: true })
    expect(checks).toHaveLength(1)
  })

  it('holds up nobody who ends the threads', async () => {
    const others = new GitWorkers()
    await using incoming = await Incoming.open(others)
    await incoming.give(good.subarray(0, -50))
    await begun(1)
    await vi.waitFor(() => expect(openFiles(incoming.path)).toHaveLength(2), WAIT)
    await others.close()
    expect(openFiles(incoming.path)).toHaveLength(1)
    await incoming.give(good.subarray(-50))
    await expect(incoming.finish()).rejects.toThrow()
  })

  it('of very many objects, is checked only when it is whole', async () => {
    const many = Buffer.from(good)
    many.writeUInt32BE(250_001, 8)
    await expect(inPieces(many, () => many.length)).resolves.toMatch('declares 250001 objects')
    expect(checks.map(({ early }) => early)).toEqual([false])
  })
})
