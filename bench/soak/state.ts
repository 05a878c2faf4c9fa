/** What a node holds when nobody asks it for anything, in figures that can be compared. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { heldBy, openFiles, threadsOf } from '../../integration/support/held.ts'
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
/** Of `/proc`, on each Linux (proc_pid_stat(5)). */
const TICK_MS = 10

/**
 * Waits until nothing has been under way, no processor was at work, and nothing but memory has changed, for a while.
 *
 * @throws Error where that does not come
 */
export async function quietStateOf(node: NodeProcess, signal: AbortSignal): Promise<SoakState> {
  const endMs = performance.now() + QUIET_MS_MAX
  let sinceMs = performance.now()
  let before = ''
  let workedMsBefore = cpuMsOf(node)
  for (;;) {
    await delay(POLL_MS, undefined, { signal })
    const [state, busy, workedMs] = [countsOf(node), await underWay(node), cpuMsOf(node)]
    if (workedMs - workedMsBefore >= CPU_MS_MAX) busy.push(`${workedMs - workedMsBefore} ms of processor time`)
    workedMsBefore = workedMs
    const now = JSON.stringify(state)
    if (now !== before || busy.length > 0) sinceMs = performance.now()
    before = now
    if (performance.now() - sinceMs >= QUIET_MS) return { ...state, memory: await memoryOf(node) }
    if (performance.now() > endMs) throw new Error(`The node did not come to rest: ${busy.join(', ')}`)
  }
}

/** Of all threads since the process began. */
function cpuMsOf({ pid }: NodeProcess): number {
  // The name of the program may hold anything.
  const [, fields = ''] = /\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? []
  const [user, system] = fields.split(' ').slice(11, 13)
  return (Number(user) + Number(system)) * TICK_MS
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

async function underWay(node: NodeProcess): Promise<string[]> {
  const { gauges, passingFiles, quarantine, children } = await heldBy(node)
  const counted = Object.entries(gauges).filter(([, value]) => value > 0)
  return [...counted.map(([series, value]) => `${series} ${value}`), ...passingFiles, ...quarantine, ...children]
}

/** A socket's or pipe's number says nothing. */
function kindOf(file: string, dataDirectory: string): string {
  return file.startsWith('/') ? relative(dataDirectory, file) : file.replace(/:\[\d+\]$/, '')
}
