/** Does a planned thing to a cluster, and says how to take it back. */
import { watch } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { type Action, LINKS } from '../history.ts'
import type { Cluster } from './cluster.ts'
import type { Link, Stream, Toxic } from './toxiproxy.ts'

/** What a kill waits for comes within this time, as people push all the while; else it comes without. */
const MOMENT_MS_MAX = 10_000
/** Of the latency. */
const JITTER = 0.2
const BOTH: readonly Stream[] = ['upstream', 'downstream']
const LOST: Toxic = { type: 'timeout', attributes: { timeout: 0 } }

export type TakeBack = () => Promise<void>

export interface FaultParts {
  readonly cluster: Cluster
  /** Resolves when somebody begins to push. */
  readonly nextPush: () => Promise<void>
  readonly signal: AbortSignal
}

/** Waits for what a kill is to meet; the rest waits for nothing. */
export async function moment(action: Action, { cluster, nextPush, signal }: FaultParts): Promise<void> {
  if (action.kind !== 'kill') return
  const met = action.during === 'push' ? nextPush() : packArrives(cluster.quarantine(action.node), signal)
  await Promise.race([met, delay(MOMENT_MS_MAX, undefined, { signal })])
  await delay(action.afterMs, undefined, { signal })
}

/** @returns when it is done, with what takes it back */
export async function inject(action: Action, cluster: Pick<Cluster, 'link' | 'kill' | 'restart'>): Promise<TakeBack> {
  switch (action.kind) {
    case 'slow': {
      const { latencyMs: latency, rateKBps: rate } = action
      const jitter = Math.round(latency * JITTER)
      const toxics: Toxic[] = [
        { type: 'latency', attributes: { latency, jitter } },
        { type: 'bandwidth', attributes: { rate } },
      ]
      return addAll(cluster.link(action.link), toxics, BOTH)
    }
    case 'black-hole': {
      const [listens] = LINKS[action.link]
      return addAll(cluster.link(action.link), [LOST], [action.towards === listens ? 'upstream' : 'downstream'])
    }
    case 'cut':
      return addAll(cluster.link(action.link), [LOST], BOTH)
    case 'reset':
      return addAll(cluster.link(action.link), [{ type: 'reset_peer', attributes: { timeout: 0 } }], BOTH)
    case 'kill':
      await cluster.kill(action.node)
      return () => cluster.restart(action.node)
  }
}

async function addAll(link: Link, toxics: readonly Toxic[], streams: readonly Stream[]): Promise<TakeBack> {
  const removals: TakeBack[] = []
  for (const toxic of toxics) for (const stream of streams) removals.push(await link.add(toxic, stream))
  // The last one first: what a toxic holds back it pours out through those behind it when it goes, and through a narrow
  // one that takes longer than Toxiproxy's own API waits (seed 4280312684 of slow-link: 503).
  return async () => {
    for (const remove of removals.toReversed()) await remove()
  }
}

/** What a node takes arrives in a folder of its own in the quarantine first. */
async function packArrives(quarantine: string, signal: AbortSignal): Promise<void> {
  const timeout = AbortSignal.timeout(MOMENT_MS_MAX)
  const changes = watch(quarantine, { signal: AbortSignal.any([signal, timeout]) })
  try {
    await changes[Symbol.asyncIterator]().next()
  } catch (error) {
    if (!timeout.aborted) throw error
  }
}
