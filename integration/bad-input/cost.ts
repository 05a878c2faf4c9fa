/** What an input costs a node while it is at it: for the record, and no verdict but on memory. */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ROOT } from '../support/command-line.ts'
import type { NodeProcess } from '../support/node-process.ts'

const POLL_MS = 200

export interface Cost {
  /** Resident when it began, and at most. */
  readonly restMib: number
  readonly peakMib: number
  /** The highest of `guts_event_loop_delay_seconds`. */
  readonly eventLoopDelayMs: number
}

/** Runs the work, and adds a line to `reports/bad-input/costs.jsonl`, which says what it cost the node. */
export async function recordCost<Result>(node: NodeProcess, what: string, work: () => Promise<Result>) {
  // The peak begins anew (proc(5), clear_refs).
  writeFileSync(`/proc/${node.pid}/clear_refs`, '5')
  const restMib = statusMib(node.pid, 'VmRSS')
  const ended = new AbortController()
  const delays = watchDelays(node, ended.signal)
  let result: Result
  try {
    result = await work()
  } finally {
    ended.abort()
  }
  const cost = { restMib, peakMib: statusMib(node.pid, 'VmHWM'), eventLoopDelayMs: Math.max(...(await delays)) }
  const folder = join(ROOT, 'reports/bad-input')
  mkdirSync(folder, { recursive: true })
  appendFileSync(join(folder, 'costs.jsonl'), `${JSON.stringify({ what, ...cost })}\n`)
  return { result, cost: cost satisfies Cost }
}

async function watchDelays(node: NodeProcess, signal: AbortSignal): Promise<number[]> {
  const all: number[] = []
  for (let isLast = false; !isLast;) {
    isLast = signal.aborted
    // While the loop stands still nobody is answered; the next answer tells of it.
    const delayS = await node.metric('guts_event_loop_delay_seconds').catch(() => undefined)
    all.push(Math.round((delayS ?? 0) * 1_000))
    if (!isLast) await delay(POLL_MS, undefined, { signal }).catch(() => {})
  }
  return all
}

function statusMib(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const kib = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Math.round(Number(kib) / 1_024)
}
