import { join } from 'node:path'
import { decodePackHeader } from '../git/pack/header.ts'
import { GutsError, RequestError } from '../errors.ts'
import { addAccessFields } from '../observability/context.ts'
import { withSpan } from '../observability/tracing.ts'
import { writeDurably } from '../storage/file-system.ts'
import type { PackRow } from '../storage/repositories/ref-store.ts'
import type { RepositoryRef } from './git-request.ts'
import { type Accepted, PackCheck } from './pack-check.ts'
import { FileSink } from './pack-sink.ts'
import type { ProgressWatch } from './progress-watch.ts'
import type { RequestReader } from './request-reader.ts'
import type { TransferParts } from './transfer.ts'
import type { TaskProgress } from './workers/remote-file.ts'
import type { Tip } from './workers/tasks.ts'

export interface ReceivedPack {
  /** undefined: the pack was empty, everything wanted is here */
  readonly row: PackRow | undefined
  readonly tips: ReadonlyMap<string, Tip>
  /** As `RepositoryFiles` counted them before the pack was checked. */
  readonly withdrawals: number
}

/** A pack on its way into quarantine, whoever sends it. */
export interface PackIntake {
  readonly directory: string
  readonly repository: RepositoryRef
  /** What refs are to point to, as 40 hex digits each. */
  readonly tips: readonly string[]
  readonly watch: ProgressWatch
  readonly parts: TransferParts
  onProgress(progress: TaskProgress): void
}

export interface ReceiveOptions extends PackIntake {
  readonly reader: RequestReader
}

/**
 * Takes a pusher's pack into quarantine, checks and indexes it in a worker thread, and makes both files durable: what
 * `PackFiles.publish` moves into sight.
 *
 * @throws RequestError bad_request: the sentence says what is wrong with the pack
 */
export async function receivePack(options: ReceiveOptions): Promise<ReceivedPack> {
  const { metrics, observe } = options.parts
  return takePack(options, async (sink) => {
    const packBytes = await withSpan('git.pack.receive', {}, () =>
      observe('pack_write', () => writePack(sink, options)),
    )
    metrics.gitPackBytes.inc({ direction: 'in' }, packBytes)
    addAccessFields({ pack_bytes: packBytes })
    return (objects) => {
      metrics.gitObjects.inc({ direction: 'in' }, objects)
      addAccessFields({ objects })
    }
  })
}

/**
 * @param write gives all bytes of the pack; what it returns is called with the number of objects once they are known to be good
 * @throws RequestError bad_request: the sentence says what is wrong with the pack
 */
export async function takePack(
  intake: PackIntake,
  write: (sink: FileSink) => Promise<(objects: number) => void>,
): Promise<ReceivedPack> {
  const { directory, parts, watch } = intake
  const { fileSystem } = parts
  const packPath = join(directory, 'incoming.pack')
  const file = await fileSystem.create(packPath)
  const check = new PackCheck(file, packPath, intake)
  const sink = new FileSink(file, (bytes) => check.reached(bytes, sink.declaredObjects))
  let index: Accepted
  try {
    const onChecked = await write(sink)
    await sink.flush()
    // The disk works while the pack is checked.
    const synced = file.sync()
    // It is awaited when the pack is good; of one that is refused, nobody has to hear what became of it.
    synced.catch(() => {})
    index = await withSpan('git.pack.index', {}, () => check.finish(sink.declaredObjects))
    onChecked(index.objects)
    await synced
    if (index.completed) await file.sync()
  } finally {
    await check.close()
    await sink.close()
    await file.close()
  }
  const { withdrawals } = index
  const tips = new Map(index.tips.map((tip) => [tip.oid, tip]))
  if (index.objects === 0) return { row: undefined, tips, withdrawals }
  watch.signal.throwIfAborted()
  await writeDurably(fileSystem, join(directory, 'incoming.idx'), index.index)
  const row = { name: index.packName, bytes: index.packBytes + index.index.length, ...index.counts }
  return { row, tips, withdrawals }
}

/** @returns bytes of the pack */
async function writePack(sink: FileSink, { reader, parts }: ReceiveOptions): Promise<number> {
  let isJudged = false
  for await (const piece of reader.rest()) {
    await sink.write(piece)
    if (isJudged || sink.header === undefined) continue
    // Refused here, a pack that is too large by its own word costs nobody its transfer.
    assertHeader(sink.header, parts.limits.packObjectsMax)
    isJudged = true
  }
  await sink.flush()
  return sink.bytes
}

function assertHeader(head: Buffer, objectsMax: number): void {
  try {
    decodePackHeader(head, objectsMax)
  } catch (error) {
    if (error instanceof GutsError) throw new RequestError({ code: 'bad_request' }, error.message, { cause: error })
    throw error
  }
}
