/** What replication needs of packs and refs: what a home gives, and how a mirror takes it. */
import { RequestError } from '../errors.ts'
import { NO_FILTER } from '../git/object-graph/filter.ts'
import { encodePackHeader } from '../git/pack/header.ts'
import { withSpan } from '../observability/tracing.ts'
import type { ObjectStore } from '../storage/objects/object-store.ts'
import type { WritableFile } from '../storage/file-system.ts'
import type { ChainEnd, VerifiedEntry } from '../storage/repositories/ref-log.ts'
import type { RefSnapshot, RefUpdate } from '../storage/repositories/ref-store.ts'
import { createHash } from 'node:crypto'
import type { RepositoryRef } from './git-request.ts'
import { openPack } from './open-pack.ts'
import type { ReadyPack } from './pack-cache.ts'
import { firstMissing, whichAreHere } from './presence.ts'
import { ProgressWatch } from './progress-watch.ts'
import { type ReceivedPack, takePack } from './receive-pack.ts'
import { isStale, publishWith } from './ref-change.ts'
import { foldEntries, judgeMirrored } from './replica-rules.ts'
import type { TransferParts } from './transfer.ts'

/** Named in one request; a home leaves out what is reachable from any of them. */
export const HAVES_MAX = 20_000
const GATHERED_BYTES = 512 * 1024

export interface Need {
  /** 40 hex digits each. */
  readonly wants: readonly string[]
  readonly haves: readonly string[]
}

/** Where a pack's bytes go, in order. */
export interface PackSink {
  /** How many are there already: what a second attempt need not bring again. */
  readonly bytes: number
  write(bytes: Uint8Array): Promise<void>
}

export interface MirrorUpdate {
  readonly repository: RepositoryRef
  readonly from: ChainEnd
  readonly entries: readonly VerifiedEntry[]
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
  const objects = (): ObjectStore => parts.files.objects(repository)
  const missing = await firstMissing(objects, wants)
  if (missing !== undefined) throw new RequestError({ code: 'not_found' }, `Object ${missing} is not here`)
  const { here } = await whichAreHere(objects(), haves)
  const features = { thinPack: true, ofsDelta: true }
  const spec = { wants, haves: [...here], annotatedTags: [], shallow: [], filter: NO_FILTER, sparse: [], features }
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
  const { repository, from, entries, signal } = update
  parts.writeGate.assertWritable()
  const snapshot = parts.refs.snapshot(repository.id)
  const folded = foldEntries(snapshot, entries)
  const withdrawals = parts.files.withdrawals(repository)
  const { missing: wants } = await whichAreHere(parts.files.objects(repository), folded.oids)
  const watch = new ProgressWatch(signal, parts.limits.progressTimeoutMs, parts.metrics)
  try {
    await parts.quarantine(async (directory) => {
      const intake = { directory, repository, tips: folded.oids, watch, parts, onProgress() {} }
      const pack = await takePack(intake, async (file) => {
        watch.pause()
        if (wants.length === 0) await file.write(EMPTY_PACK, 0)
        else {
          const sink = new FileSink(file)
          await update.fetch({ wants, haves: havesOf(snapshot) }, sink)
          await sink.flush()
        }
        watch.progress()
        return () => {}
      })
      // What was here is not fetched: where it went, the home is not to blame.
      if (pack.withdrawals !== withdrawals) throw withdrawn()
      const updates = judgeMirrored(folded, snapshot, pack.tips)
      // From here on it is the disk's work, and nothing that could be taken back.
      watch.pause()
      await parts.locks.run(`${repository.owner}/${repository.name}`, () =>
        withSpan('replication.apply', { entries: entries.length }, () => apply(updates, directory, pack)),
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
    const batch = { repositoryId: repository.id, from, entries, updates, ...(row && { pack: row }) }
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

/** Gathers pieces into large writes, one of which is under way while the next pieces come; two buffers take turns. */
class FileSink implements PackSink {
  /** Taken, written or not: what a second attempt need not bring again. */
  bytes = 0
  readonly #file: WritableFile
  #filling = Buffer.alloc(0)
  #writing = Buffer.alloc(0)
  /** Of the one that is being filled. */
  #filledBytes = 0
  #written: Promise<void> = Promise.resolve()

  constructor(file: WritableFile) {
    this.#file = file
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let taken = 0; taken < bytes.length;) {
      if (this.#filling.length === 0) this.#filling = Buffer.allocUnsafeSlow(GATHERED_BYTES)
      const part = bytes.subarray(taken, taken + this.#filling.length - this.#filledBytes)
      this.#filling.set(part, this.#filledBytes)
      this.#filledBytes += part.length
      this.bytes += part.length
      taken += part.length
      if (this.#filledBytes === GATHERED_BYTES) await this.#writeGathered()
    }
  }

  /** After the last piece. */
  async flush(): Promise<void> {
    await this.#writeGathered()
    await this.#written
  }

  async #writeGathered(): Promise<void> {
    await this.#written
    const filled = this.#filling.subarray(0, this.#filledBytes)
    this.#written = this.#file.write(filled, this.bytes - filled.length)
    // It is awaited before the next one; should it fail before that, nobody else has to hear of it.
    this.#written.catch(() => {})
    ;[this.#filling, this.#writing] = [this.#writing, this.#filling]
    this.#filledBytes = 0
  }
}

const EMPTY_HEADER = encodePackHeader(0)
/** Of no objects: what is wanted is here already. */
const EMPTY_PACK = Buffer.concat([EMPTY_HEADER, createHash('sha1').update(EMPTY_HEADER).digest()])
