/** A node's data, of which each step on the disk, in the database and in a worker thread waits to be let through. */
import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import type { fc } from '@fast-check/vitest'
import { load } from '../src/config/testing.ts'
import pino from 'pino'
import { type NodeData, openNodeData } from '../src/node-data.ts'
import { createMetrics } from '../src/observability/metrics.ts'
import { diskFileSystem, type FileSystem } from '../src/storage/file-system.ts'
import { memoryFolder } from './memory-folder.ts'

type Steps = Record<string, (...parameters: never[]) => Promise<unknown>>

/** As `process.getActiveResourcesInfo` calls what is under way on the disk: reads are not gated, nor writes of open files. */
const DISK_WORK = new Set(['FSReqPromise', 'CloseReq'])
/** Turns of the event loop in which nothing began: streams and promises hand on what they have in one. */
const QUIET_TURNS = 3

export class GatedNode implements AsyncDisposable {
  readonly data: NodeData
  readonly #stack: AsyncDisposableStack
  readonly #gates: Gates

  private constructor(data: NodeData, gates: Gates, stack: AsyncDisposableStack) {
    this.data = data
    this.#gates = gates
    this.#stack = stack
  }

  static async open(): Promise<GatedNode> {
    const gates = new Gates()
    await using opening = new AsyncDisposableStack()
    const folder = opening.use(memoryFolder('gated'))
    const onError = (error: unknown): void => {
      throw error
    }
    const options = {
      config: load({ GUTS_DATA_DIR: folder.path }),
      privateKeySeed: new Uint8Array(32),
      speaker: { agent: 'guts/test', sessionId: '' },
      // Writes of a file that is open belong to whoever created it: nobody else can see them.
      fileSystem: gates.through({ ...diskFileSystem } as unknown as Steps) as unknown as FileSystem,
      metrics: createMetrics({ routePaths: [], version: '1', onCollectError: onError }),
      logger: pino({ level: 'silent' }),
      onRefsChanged() {},
    }
    const data = await openNodeData(opening, options)
    const { database, workers } = data
    const { index, repack, planPrune } = workers
    Object.assign(database, gates.through({ write: database.write.bind(database) }))
    Object.assign(
      workers,
      gates.through({
        index: index.bind(workers),
        repack: repack.bind(workers),
        planPrune: planPrune.bind(workers),
      }),
    )
    return new GatedNode(data, gates, opening.move())
  }

  /**
   * Lets one step after the other through, in the order that the scheduler draws, until all work is done. Each begins
   * only when nothing moves any more, so that the order is the scheduler's alone.
   */
  async drive<T>(scheduler: fc.Scheduler, work: readonly Promise<T>[]): Promise<T[]> {
    const all = Promise.all(work)
    const progress = { isDone: false }
    const end = (): void => void (progress.isDone = true)
    all.then(end, end)
    this.#gates.scheduler = scheduler
    try {
      for (;;) {
        await this.#gates.quiet()
        if (progress.isDone) break
        assert.ok(scheduler.count() > 0, 'everybody waits for somebody else')
        await scheduler.waitOne()
      }
    } finally {
      this.#gates.scheduler = undefined
    }
    return all
  }

  /** A step of our own, among the others. */
  async step(label: string): Promise<void> {
    await this.#gates.wait(label)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }
}

class Gates {
  /** undefined: everything goes through at once */
  scheduler: fc.Scheduler | undefined
  readonly #underWay = new Set<Promise<unknown>>()

  async wait(label: string): Promise<void> {
    await this.scheduler?.schedule(Promise.resolve(), label)
  }

  through<T extends Steps>(steps: T): T {
    const gated = Object.entries(steps).map(([name, step]) => [
      name,
      async (...parameters: never[]): Promise<unknown> => {
        await this.wait(name)
        const running = step(...parameters)
        this.#underWay.add(running)
        try {
          return await running
        } finally {
          this.#underWay.delete(running)
        }
      },
    ])
    return Object.fromEntries(gated) as T
  }

  async quiet(): Promise<void> {
    for (let turns = 0; turns < QUIET_TURNS;) {
      if (this.#underWay.size > 0) await Promise.race(this.#underWay).catch(() => {})
      await setImmediate()
      const isMoving = this.#underWay.size > 0 || process.getActiveResourcesInfo().some((one) => DISK_WORK.has(one))
      turns = isMoving ? 0 : turns + 1
    }
  }
}
