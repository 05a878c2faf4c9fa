/** What a node holds when nobody asks it for anything, in figures that can be compared. */
import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Held, heldAndSpentBy, openFiles, threadsOf } from '../../integration/support/held.ts'
import type { NodeProcess } from '../../integration/support/node-process.ts'
import { storedIn } from '../../integration/support/stored.ts'
import { REST } from '../../src/rest.ts'
import { memoryOf, type MemoryState } from './memory.ts'

export interface SoakState {
  readonly memory: MemoryState
  readonly threads: number
  /** What each open descriptor stands for, sorted; paths are relative to the data directory. */
  readonly descriptors: readonly string[]
  /** Every file in the data directory; of those in repositories, quarantine and trash with the size. */
  readonly files: readonly string[]
  /** Rows by table of the database. */
  readonly rows: Readonly<Record<string, number>>
}

/** What V8 gives back after a collection it gives back some seconds later. */
const GIVES_BACK_WITHIN_MS = 30_000
/** Longer than a worker thread stays when it has nothing to do, and than a node takes to see that it is at rest. */
export const QUIET_MS = REST.lookMs * (REST.looks + 1) + GIVES_BACK_WITHIN_MS
const QUIET_MS_MAX = 10 * 60_000
const POLL_MS = 1_000
/** Of processor time between two polls: a node that takes less is at rest by its own measure. */
const CPU_MS_MAX = (REST.cpuMsMax * POLL_MS) / REST.lookMs

/**
 * Waits until nothing has been under way, no processor was at work, and nothing but memory has changed, for a while.
 *
 * @throws Error where that does not come
 */
export async function quietStateOf(node: NodeProcess, signal: AbortSignal): Promise<SoakState> {
  const endMs = performance.now() + QUIET_MS_MAX
  let sinceMs = performance.now()
  let before = ''
  let { cpuSeconds: workedS } = await heldAndSpentBy(node)
  for (;;) {
    await delay(POLL_MS, undefined, { signal })
    const state = countsOf(node)
    const { held, cpuSeconds } = await heldAndSpentBy(node)
    const busy = underWay(held)
    const workedMs = Math.round((cpuSeconds - workedS) * 1_000)
    workedS = cpuSeconds
    if (workedMs >= CPU_MS_MAX) busy.push(`${workedMs} ms of processor time`)
    const now = JSON.stringify(state)
    if (now !== before || busy.length > 0) sinceMs = performance.now()
    before = now
    if (performance.now() - sinceMs >= QUIET_MS) return { ...state, memory: await memoryOf(node) }
    if (performance.now() > endMs) throw new Error(`The node did not come to rest: ${busy.join(', ')}`)
  }
}

function countsOf(node: NodeProcess): Omit<SoakState, 'memory'> {
  const { pid, dataDirectory } = node
  const { files, rows } = storedIn(dataDirectory)
  const kept = readdirSync(join(dataDirectory, 'quarantine')).map((name) => `quarantine/${name}`)
  return {
    threads: threadsOf(node),
    descriptors: openFiles(pid)
      .map((file) => kindOf(file, dataDirectory))
      .sort(),
    files: [...readdirSync(dataDirectory), ...kept, ...files].sort(),
    rows,
  }
}

function underWay({ gauges, passingFiles, quarantine, children }: Held): string[] {
  const counted = Object.entries(gauges).filter(([, value]) => value > 0)
  return [...counted.map(([series, value]) => `${series} ${value}`), ...passingFiles, ...quarantine, ...children]
}

/** A socket's or pipe's number says nothing. */
function kindOf(file: string, dataDirectory: string): string {
  return file.startsWith('/') ? relative(dataDirectory, file) : file.replace(/:\[\d+\]$/, '')
}
