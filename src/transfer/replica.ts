/** What replication needs of packs and refs: what a home gives, and how a mirror takes it. */
import { RequestError } from '../errors.ts'
import { NO_FILTER } from '../git/object-graph/filter.ts'
import { encodePackHeader } from '../git/pack/header.ts'
import { withSpan } from '../observability/tracing.ts'
import type { ObjectStore } from '../storage/objects/object-store.ts'
import type { ChainEnd, VerifiedEntry } from '../storage/repositories/ref-log.ts'
import type { RefSnapshot, RefUpdate } from '../storage/repositories/ref-store.ts'
import type { LoggedEntry } from '../storage/repositories/staged-entries.ts'
import { createHash } from 'node:crypto'
import type { RepositoryRef } from './git-request.ts'
import type { PackSink } from './pack-sink.ts'
import { openPack } from './open-pack.ts'
import type { ReadyPack } from './pack-cache.ts'
import { firstMissing, whichAreHere } from './presence.ts'
import { ProgressWatch } from './progress-watch.ts'
import { type ReceivedPack, takePack } from './receive-pack.ts'
import { isStale, publishWith } from './ref-change.ts'
import { foldEntries, judgeMirrored } from './replica-rules.ts'
import type { TransferParts } from './transfer.ts'
import { NO_TAGS } from './named-objects.ts'

/** Named in one request; a home leaves out what is reachable from any of them. */
export const HAVES_MAX = 20_000

export interface Need {
  /** 40 hex digits each. */
  readonly wants: readonly string[]
  readonly haves: readonly string[]
}

export interface MirrorUpdate {
  readonly repository: RepositoryRef
  readonly from: ChainEnd
  /** Verified to go on from there; at least one. */
  readonly entries: Iterable<LoggedEntry>
  /** The last of them, which are not staged. */
  readonly fresh: readonly VerifiedEntry[]
  /** So many refs change in one step; where it takes more, the mirror is behind still. */
  readonly refsMax: number
  readonly signal: AbortSignal
  /** Brings the pack; not called where everything is here. */
  fetch(need: Need, sink: PackSink): Promise<void>
}

/** @throws RequestError not_found: an object that is wanted is not here; unavailable: too much is waiting */
export async function openReplicaPack(
  repository: RepositoryRef,
  { wants, haves }: Need,
  signal: AbortSignal,
  parts: TransferParts,
): Promise<ReadyPack> {
  const objects = (): ObjectStore => parts.files.packs.objects(repository)
  const missing = await firstMissing(objects, wants)
  if (missing !== undefined) throw new RequestError({ code: 'not_found' }, `Object ${missing} is not here`)
  const { here } = await whichAreHere(objects, haves)
  const features = { thinPack: true, ofsDelta: true }
  const spec = { wants, haves: [...here], annotatedTags: NO_TAGS, shallow: [], filter: NO_FILTER, sparse: [], features }
  const watch = new ProgressWatch(signal, parts.limits.progressTimeoutMs, parts.metrics)
  try {
    return await openPack(repository, spec, watch, parts)
  } finally {
    watch.stop()
  }
}

/**
 * Brings a mirror from one state of its home to a later one, in one step (I5): objects first, checked like a push's,
 * then refs and log in one transaction.
 *
 * @throws ReplicaError the entries contradict what is here, or the pack is not what they need
 * @throws RequestError unavailable, StorageError: the mirror cannot take changes
 */
export async function updateMirror(update: MirrorUpdate, parts: TransferParts): Promise<void> {
  const { repository, from, signal } = update
  parts.writeGate.assertWritable()
  const snapshot = parts.refs.snapshot(repository.id)
  const folded = await foldEntries(snapshot, update.entries, update.refsMax)
  const { to } = folded
  const withdrawals = parts.files.packs.withdrawals(repository)
  const { missing: wants } = await whichAreHere(() => parts.files.packs.objects(repository), folded.oids)
  const watch = new ProgressWatch(signal, parts.limits.progressTimeoutMs, parts.metrics)
  try {
    await parts.quarantine(async (directory) => {
      const intake = { directory, repository, tips: folded.oids, watch, parts, onProgress() {} }
      const pack = await takePack(intake, async (sink) => {
        watch.pause()
        if (wants.length === 0) await sink.write(EMPTY_PACK)
        else await update.fetch({ wants, haves: havesOf(snapshot) }, sink)
        watch.progress()
        return () => {}
      })
      // What was here is not fetched: where it went, the home is not to blame.
      if (pack.withdrawals !== withdrawals) throw withdrawn()
      const updates = judgeMirrored(folded, snapshot, pack.tips)
      // From here on it is the disk's work, and nothing that could be taken back.
      watch.pause()
      await parts.locks.run(`${repository.owner}/${repository.name}`, () =>
        withSpan('replication.apply', { entries: to.sequence - from.sequence }, () => apply(updates, directory, pack)),
      )
    })
  } finally {
    watch.stop()
  }

  async function apply(updates: RefUpdate[], directory: string, pack: ReceivedPack) {
    signal.throwIfAborted()
    parts.writeGate.assertWritable()
    if (isStale(pack, repository, parts)) throw withdrawn()
    const { row } = pack
    const entries = update.fresh.filter(({ sequence }) => sequence <= to.sequence)
    const batch = { repositoryId: repository.id, from, to, entries, updates, ...(row && { pack: row }) }
    const publication = { repository, directory, packName: row?.name, updates, head: folded.head }
    const applied = await publishWith(publication, parts, () => parts.refs.applyMirrored(batch))
    if (!applied) throw new RequestError({ code: 'conflict' }, 'The mirror was changed meanwhile')
  }
}

function withdrawn(): RequestError {
  return new RequestError({ code: 'conflict' }, 'Objects went from the mirror')
}

/** What refs point to here; with very many of them, the branch that HEAD names and as many others as may be told. */
function havesOf({ refs, byName, head }: RefSnapshot): string[] {
  const main = byName.get(head)?.oid
  const oids = new Set(main === undefined ? [] : [main])
  for (const { oid } of refs) {
    if (oids.size >= HAVES_MAX) break
    oids.add(oid)
  }
  return [...oids]
}

const EMPTY_HEADER = encodePackHeader(0)
/** Of no objects: what is wanted is here already. */
const EMPTY_PACK = Buffer.concat([EMPTY_HEADER, createHash('sha1').update(EMPTY_HEADER).digest()])
