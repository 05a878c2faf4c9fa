/** What a node holds when nobody asks it for anything, in figures that can be compared. */
import { readdirSync } from 'node:fs'
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

/** Longer than a worker thread stays when it has nothing to do, and than a node takes to see that it is at rest. */
export const QUIET_MS = REST.lookMs * (REST.looks + 1) + 10_000
const QUIET_MS_MAX = 5 * 60_000
const POLL_MS = 1_000

/**
 * Waits until nothing has been under way, and nothing but memory has changed, for a while.
 *
 * @throws Error where that does not come
 */
export async function quietStateOf(node: NodeProcess, signal: AbortSignal): Promise<SoakState> {
  const endMs = performance.now() + QUIET_MS_MAX
  let sinceMs = performance.now()
  let before = ''
  for (;;) {
    await delay(POLL_MS, undefined, { signal })
    const [state, busy] = [countsOf(node), await underWay(node)]
    const now = JSON.stringify({ state, busy })
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

async function underWay(node: NodeProcess): Promise<string[]> {
  const { gauges, passingFiles, quarantine, children } = await heldBy(node)
  const counted = Object.entries(gauges).filter(([, value]) => value > 0)
  return [...counted.map(([series, value]) => `${series} ${value}`), ...passingFiles, ...quarantine, ...children]
}

/** A socket's or pipe's number says nothing. */
function kindOf(file: string, dataDirectory: string): string {
  return file.startsWith('/') ? relative(dataDirectory, file) : file.replace(/:\[\d+\]$/, '')
}
