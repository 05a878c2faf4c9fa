/** What a node holds on to. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { NodeProcess } from './node-process.ts'
import { ask } from './raw-http.ts'
import { pushesUnderWay } from './stored.ts'

export interface Held {
  /** Series that count what is under way. */
  readonly gauges: Readonly<Record<string, number>>
  readonly sockets: number
  /** Open files in quarantine, and files that have no name any more. */
  readonly passingFiles: readonly string[]
  readonly quarantine: readonly string[]
  readonly children: readonly string[]
}

const GAUGES = [
  'guts_http_connections{listener="api"}',
  'guts_http_requests_in_flight{listener="api"}',
  'guts_bulkhead_in_flight{bulkhead="push"}',
  'guts_bulkhead_in_flight{bulkhead="fetch"}',
  'guts_bulkhead_queued{bulkhead="push"}',
  'guts_bulkhead_queued{bulkhead="fetch"}',
] as const

export async function heldBy(node: NodeProcess): Promise<Held> {
  return (await heldAndSpentBy(node)).held
}

/** By one look at its metrics. @returns `cpuSeconds` of all threads, since the node began */
export async function heldAndSpentBy(node: NodeProcess): Promise<{ readonly held: Held; readonly cpuSeconds: number }> {
  const metrics = await ask(node.ports.internal, { path: '/metrics' })
  const lines = metrics.body.toString().split('\n')
  const valueOf = (series: string): number => {
    const line = lines.find((found) => found.startsWith(`${series} `))
    return line === undefined ? 0 : Number(line.slice(series.length + 1))
  }
  const files = openFiles(node.pid)
  const held = {
    gauges: Object.fromEntries(GAUGES.map((series) => [series, valueOf(series)])),
    sockets: files.filter((file) => file.startsWith('socket:')).length,
    passingFiles: files.filter((file) => file.includes('/quarantine/') || file.endsWith('(deleted)')),
    quarantine: pushesUnderWay(node.dataDirectory),
    children: readdirSync(`/proc/${node.pid}/task`).flatMap((task) => childrenOf(node.pid, task)),
  }
  return { held, cpuSeconds: valueOf('process_cpu_seconds_total') }
}

/** Worker threads come as they are needed and go when idle: their number has a bound, not a value. */
export function threadsOf({ pid }: NodeProcess): number {
  return readdirSync(`/proc/${pid}/task`).length
}

/** What its open descriptors stand for, each as the kernel names it. */
export function openFiles(pid: number): string[] {
  const folder = `/proc/${pid}/fd`
  return readdirSync(folder).flatMap((name) => {
    try {
      return [readlinkSync(join(folder, name))]
    } catch {
      // Closed since it was listed.
      return []
    }
  })
}

function childrenOf(pid: number, task: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')
      .split(' ')
      .filter((child) => child !== '')
  } catch {
    // The thread is gone, or the kernel does not tell.
    return []
  }
}
