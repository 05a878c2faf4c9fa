/** Does a planned thing to a cluster, and says what came of it and how to take it back. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Action, LINKS } from '../history.ts'
import type { Injected } from '../nemesis.ts'
import type { Cluster } from './cluster.ts'
import { lookAt } from './probe.ts'
import type { Link, Stream, Toxic } from './toxiproxy.ts'

/** What a kill waits for comes within this time, as people push all the while; else it comes without. */
const MOMENT_MS_MAX = 10_000
const POLL_MS = 2
/** Of the latency. */
const JITTER = 0.2
const BOTH: readonly Stream[] = ['upstream', 'downstream']
const LOST: Toxic = { type: 'timeout', attributes: { timeout: 0 } }

export interface FaultParts {
  readonly cluster: Pick<Cluster, 'link' | 'kill' | 'restart' | 'quarantine'>
  /** Resolves when somebody begins to push. */
  readonly nextPush: () => Promise<void>
  readonly isPushing: () => boolean
  readonly signal: AbortSignal
}

/** Waits for what a kill is to meet; the rest waits for nothing. */
export async function moment(action: Action, parts: FaultParts): Promise<void> {
  if (action.kind !== 'kill') return
  const { cluster, signal } = parts
  if (action.during === 'apply') return packArrives(cluster.quarantine(action.node), action.afterMs, signal)
  return pushLasts(parts, action.afterMs)
}

/** @returns when it is done */
export async function inject(action: Action, { cluster, isPushing }: FaultParts): Promise<Injected> {
  if (action.kind === 'kill') {
    const push = isPushing() ? 'a push was under way' : undefined
    await cluster.kill(action.node)
    const apply = packsIn(cluster.quarantine(action.node)) > 0 ? 'a pack lay there half taken' : undefined
    const met = action.during === 'push' ? push : apply
    return { effect: async () => met, takeBack: () => cluster.restart(action.node) }
  }
  const link = cluster.link(action.link)
  const takeBack = await impair(action, link)
  return { effect: lookAt(action, link.port), takeBack }
}

async function impair(action: Exclude<Action, { kind: 'kill' }>, link: Link): Promise<() => Promise<void>> {
  switch (action.kind) {
    case 'slow': {
      const { latencyMs: latency, rateKBps: rate } = action
      const jitter = Math.round(latency * JITTER)
      const toxics: Toxic[] = [
        { type: 'latency', attributes: { latency, jitter } },
        { type: 'bandwidth', attributes: { rate } },
      ]
      return addAll(link, toxics, BOTH)
    }
    case 'black-hole': {
      const [listens] = LINKS[action.link]
      return addAll(link, [LOST], [action.towards === listens ? 'upstream' : 'downstream'])
    }
    case 'cut':
      return addAll(link, [LOST], BOTH)
    case 'reset':
      return addAll(link, [{ type: 'reset_peer', attributes: { timeout: 0 } }], BOTH)
  }
}

async function addAll(link: Link, toxics: readonly Toxic[], streams: readonly Stream[]): Promise<Injected['takeBack']> {
  const removals: Injected['takeBack'][] = []
  for (const toxic of toxics) for (const stream of streams) removals.push(await link.add(toxic, stream))
  // The last one first: what a toxic holds back it pours out through those behind it when it goes, and through a narrow
  // one that takes longer than Toxiproxy's own API waits (seed 4280312684 of slow-link: 503).
  return async () => {
    for (const remove of removals.toReversed()) await remove()
  }
}

/** Waits until somebody has been pushing for so long, and is still; of a push that was quicker, as below. */
async function pushLasts({ nextPush, isPushing, signal }: FaultParts, afterMs: number): Promise<void> {
  const enough = new AbortController()
  const late = delay(MOMENT_MS_MAX, 'late', { signal: AbortSignal.any([signal, enough.signal]) })
  try {
    for (let waitMs = afterMs; ; waitMs = Math.floor(waitMs / 2)) {
      if ((await Promise.race([nextPush(), late])) === 'late') return
      await delay(waitMs, undefined, { signal })
      if (isPushing()) return
    }
  } finally {
    enough.abort()
    await late.catch(() => {})
  }
}

/**
 * Waits until a pack has been on its way into a node for so long, and is still: one that is taken more quickly is let
 * go, and of the next one less is asked.
 */
async function packArrives(quarantine: string, afterMs: number, signal: AbortSignal): Promise<void> {
  const untilMs = performance.now() + MOMENT_MS_MAX
  for (let waitMs = afterMs; performance.now() < untilMs; waitMs = Math.floor(waitMs / 2)) {
    while (packsIn(quarantine) === 0 && performance.now() < untilMs) await delay(POLL_MS, undefined, { signal })
    await delay(waitMs, undefined, { signal })
    if (packsIn(quarantine) > 0) return
  }
}

/** Of the packs that a node takes each is in a folder of its own; those that it made for others are not. */
export function packsIn(quarantine: string): number {
  const folders = readdirSync(quarantine, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return folders.filter(({ name }) => holdsPack(join(quarantine, name))).length
}

function holdsPack(folder: string): boolean {
  try {
    return readdirSync(folder).includes('incoming.pack')
  } catch {
    // It was there a moment ago: the pack is taken.
    return false
  }
}
