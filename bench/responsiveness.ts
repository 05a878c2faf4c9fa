/** Whether heavy work leaves the event loop alone: a small request of the API while large fetches are built. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { groupEndsWith, killGroup } from '../harness/process-group.ts'
import { Git } from '../integration/support/git.ts'
import type { BenchContext } from './context.ts'
import { quantile, timeOf } from './measure.ts'
import { RawClient, type Target } from './raw-client.ts'
import type { Row } from './row.ts'

const P99_MS_MAX = 50
/** Of a rate's time: one measure takes long enough for many requests, and for several fetches. */
const TIMES_RATE = 3
const CLONES_MIN = 2

export async function responsivenessRows(context: BenchContext): Promise<Row[]> {
  const source = await context.sources.size('large')
  const { guts } = await context.hosts()
  const target = await guts.fill('large', source.path)
  const { username, node } = guts.host
  const api = { url: `${node.origin}/api/repos/${username}/large`, authorization: guts.authorization }
  const durationMs = context.rateMs * TIMES_RATE
  const idle = await timesOf(api, durationMs / TIMES_RATE)
  const line = (await new Git(source.path).run('rev-list', '--first-parent', 'main')).split('\n')
  await using load = await FetchLoad.start(target, line.slice(1), context.signal)
  const busy = await timesOf(api, durationMs, () => load.count >= CLONES_MIN)
  const p99 = quantile(busy, 0.99)
  return [
    {
      what: 'a small API request while clones of large are built, p99',
      guts: `${p99.toFixed(1)} ms (${busy.length} while ${load.count})`,
      anchor: `${quantile(idle, 0.99).toFixed(1)} ms (idle)`,
      value: { number: p99, unit: 'ms' },
      goal: { atMost: P99_MS_MAX },
    },
  ]
}

/** One after another on one connection. @returns milliseconds of each */
async function timesOf(target: Target, durationMs: number, isEnough = () => true): Promise<number[]> {
  const client = new RawClient(target)
  const times: number[] = []
  for (const endMs = performance.now() + durationMs; performance.now() < endMs || !isEnough();) {
    times.push(await timeOf(() => client.get()))
  }
  client.close()
  return times
}

/** Fetches in a process of its own, whose reading of large answers is not to slow the one that measures. */
class FetchLoad implements AsyncDisposable {
  count = 0
  readonly #end: () => Promise<void>

  private constructor(end: () => Promise<void>) {
    this.#end = end
  }

  /** Resolves once a first one has been answered. @param commits each is asked for with all of its history */
  static async start(target: Target, commits: readonly string[], signal: AbortSignal): Promise<FetchLoad> {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'fetch-load.ts')], {
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
    })
    const group = groupEndsWith(child, signal)
    const closed = once(child, 'close')
    const load = new FetchLoad(async () => {
      group[Symbol.dispose]()
      killGroup(child)
      await closed
    })
    child.stdin.end(JSON.stringify({ target, commits }))
    child.stdout.on('data', (lines: Buffer) => (load.count += lines.toString().split('\n').length - 1))
    await Promise.race([
      once(child.stdout, 'data'),
      closed.then(() => {
        throw new Error('The load of fetches ended')
      }),
    ])
    load.count = 0
    return load
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#end()
  }
}
