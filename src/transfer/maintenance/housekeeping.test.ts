import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { RequestError } from '../../errors.ts'
import { encodeMtimes } from '../../git/pack/mtimes-file.ts'
import { createMetrics } from '../../observability/metrics.ts'
import { diskFileSystem } from '../../storage/file-system.ts'
import { KeyedMutex } from '../../storage/keyed-mutex.ts'
import { MaintenanceRequests } from '../../storage/maintenance-requests.ts'
import { PackRows } from '../../storage/repositories/pack-rows.ts'
import { RefTips } from '../../storage/repositories/ref-tips.ts'
import { RepositoryFiles } from '../../storage/repositories/repository-files.ts'
import { openTestData } from '../../storage/testing.ts'
import { runCount } from '../workers/count-task.ts'
import { runPlanPrune } from '../workers/plan-prune-task.ts'
import { HELPED_OBJECTS_MIN } from './helps.ts'
import { Housekeeping, LOOK_AROUND_EVERY_MS } from './housekeeping.ts'
import { PRUNING_LIMITS } from './pruning-limits.ts'
import { PACKS_OUTSIDE_MAX } from './runs.ts'
import { insertSite, SITE, writePack } from './testing.ts'

const PATIENCE = { timeout: 10_000, interval: 20 }

let data: Awaited<ReturnType<typeof openTestData>>
let files: RepositoryFiles
let housekeeping: Housekeeping
let writable: boolean
let roomBytes: number
/** What the workers were asked for. */
let asked: (readonly string[])[]

beforeEach(async () => {
  data = await openTestData()
  writable = true
  roomBytes = 2 ** 40
  asked = []
  files = new RepositoryFiles(data.paths, diskFileSystem)
  await insertSite(data.database)
  await files.create(SITE, 'refs/heads/main')
  const guard = { sql: 'SELECT 1', parameters: [] }
  housekeeping = new Housekeeping({
    fileSystem: diskFileSystem,
    files,
    rows: new PackRows(data.database, { guard: () => guard }),
    tips: new RefTips(data.database),
    pruneGraceS: 60,
    workers: {
      helps: async () => ({ graph: undefined, bitmap: undefined }),
      planPrune: async (task) => runPlanPrune(task),
      count: async (task) => runCount(task),
      async repack({ packs }) {
        asked.push(packs.map(({ name }) => name))
        throw new Error('This worker fails')
      },
    },
    locks: new KeyedMutex(),
    writeGate: {
      assertWritable() {
        if (!writable) throw new RequestError({ code: 'unavailable' }, 'Not now')
      },
    },
    roomBytes: async () => roomBytes,
    database: data.database,
    metrics: createMetrics({ routePaths: [], version: '1', onCollectError() {} }),
    logger: pino({ level: 'silent' }),
  })
})

afterEach(async () => {
  await housekeeping.stop()
  files.close()
  await data[Symbol.asyncDispose]()
})

async function bringPacks(from: number, to: number): Promise<void> {
  for (let number = from; number < to; number++) {
    const name = writePack(files.path(SITE), `blob ${number}`)
    await data.database.write([
      {
        sql: `INSERT INTO packs (repository_id, name, bytes, commits, trees, blobs, tags) VALUES ('r', ?, 1, 0, 0, 1, 0)`,
        parameters: [name],
      },
    ])
  }
}

it('begins with the pack that is one too many, and not again where it failed', async () => {
  housekeeping.start()
  await bringPacks(0, PACKS_OUTSIDE_MAX - 1)
  housekeeping.packCame(SITE)
  await bringPacks(PACKS_OUTSIDE_MAX - 1, PACKS_OUTSIDE_MAX)
  housekeeping.packCame(SITE)
  await vi.waitFor(() => expect(asked.map((packs) => packs.length)).toEqual([PACKS_OUTSIDE_MAX]), PATIENCE)
  await bringPacks(PACKS_OUTSIDE_MAX, PACKS_OUTSIDE_MAX + 1)
  housekeeping.packCame(SITE)
  await housekeeping.stop()
  expect(asked).toHaveLength(1)
})

it('waits until the node takes changes, and begins with its start where packs are many', async () => {
  await bringPacks(0, PACKS_OUTSIDE_MAX)
  writable = false
  housekeeping.start()
  // A request is answered all the same: its answer shows that everything was looked at.
  const requests = new MaintenanceRequests(data.database)
  const request = await requests.ask('r')
  const outcome = { done: false, code: 'unavailable', reason: 'Not now' }
  await vi.waitFor(() => expect(requests.outcome(request)).toEqual(outcome), PATIENCE)
  expect(asked).toEqual([])
  writable = true
  await vi.waitFor(() => expect(asked).toHaveLength(1), PATIENCE)
})

it('writes nothing where there is no room for it', async () => {
  await bringPacks(0, 2)
  roomBytes = 100
  await expect(housekeeping.runs.prune(SITE, { aim: 'all', nowMs: Date.now() })).rejects.toMatchObject({
    detail: { code: 'disk_full', freeBytes: 100 },
  })
  expect(asked).toEqual([])
})

it('looks after the commit-graph where it has let something go', async () => {
  await bringPacks(0, 2)
  await data.database.write([{ sql: `UPDATE packs SET commits = ${HELPED_OBJECTS_MIN}`, parameters: [] }])
  await housekeeping.runs.keepHelps(SITE, false)
  expect(housekeeping.runs.areHelpsDue('r')).toBe(false)
  const directory = join(files.path(SITE), 'objects/pack')
  // Of two that are alike, the first counts as the largest: that one stays.
  const packs = readdirSync(directory).filter((name) => name.endsWith('.pack'))
  const old = packs.toSorted().at(-1) ?? ''
  const times = encodeMtimes(Uint32Array.of(1), readFileSync(join(directory, old)).subarray(-20))
  writeFileSync(join(directory, old.replace('.pack', '.mtimes')), times)
  const pruned = await housekeeping.runs.prune(SITE, { aim: 'needed', nowMs: Date.now() })
  expect(pruned).toMatchObject({ packs: 1, prunedObjects: 1 })
  expect(housekeeping.runs.areHelpsDue('r')).toBe(true)
})

it('looks once a day for what no ref reaches, and begins where that is much', async () => {
  const { unreachable_bytes: limit } = PRUNING_LIMITS
  // Noise, so that it takes as many bytes as it has.
  let state = 1
  const noise = Array.from({ length: limit.value }, () =>
    String.fromCharCode(97 + ((state = (state * 48_271) % 2_147_483_647) % 26)),
  )
  await bringPacks(0, 1)
  await data.database.write([{ sql: `UPDATE repositories SET sequence = 1`, parameters: [] }])
  housekeeping.start()
  const lookedAt = (): unknown =>
    data.database.reader.prepare('SELECT looked_at_sequence AS at FROM repositories').get()
  await vi.waitFor(() => expect(lookedAt()).toEqual({ at: 1 }), PATIENCE)
  expect(asked).toEqual([])

  writePack(files.path(SITE), noise.join('') + noise.toReversed().join(''))
  await data.database.write([{ sql: `UPDATE repositories SET sequence = 2`, parameters: [] }])
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + LOOK_AROUND_EVERY_MS })
  try {
    await vi.waitFor(() => expect(asked.map((packs) => packs.length)).toEqual([2]), PATIENCE)
  } finally {
    vi.useRealTimers()
  }
  // Nor was the new pack in the database.
  expect(new PackRows(data.database, { guard: () => ({ sql: 'SELECT 1', parameters: [] }) }).of('r')).toHaveLength(2)
})
