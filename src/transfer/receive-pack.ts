import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { PACK_HEADER_BYTES, decodePackHeader } from '../git/pack/header.ts'
import { GutsError, RequestError } from '../errors.ts'
import { addAccessFields } from '../observability/context.ts'
import { withSpan } from '../observability/tracing.ts'
import { type WritableFile, writeDurably } from '../storage/file-system.ts'
import type { PackRow } from '../storage/repositories/ref-store.ts'
import type { RepositoryRef } from './git-request.ts'
import type { ProgressWatch } from './progress-watch.ts'
import type { RequestReader } from './request-reader.ts'
import type { TransferParts } from './transfer.ts'
import type { TaskProgress } from './workers/remote-file.ts'
import type { IndexResult, Tip } from './workers/tasks.ts'

/** So much is gathered before it is written: small writes cost more than their bytes. */
const WRITE_BYTES = 256 * 1024

/**
 * While a pack is checked its objects take about 100 bytes each, and its index 28 more: packs of more than these come one
 * at a time, so that memory is bounded by one of them, however many clients push.
 */
const LARGE_OBJECTS = 250_000

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
 * `publishPack` moves into sight.
 *
 * @throws RequestError bad_request: the sentence says what is wrong with the pack
 */
export async function receivePack(options: ReceiveOptions): Promise<ReceivedPack> {
  const { metrics, observe } = options.parts
  return takePack(options, async (file) => {
    const packBytes = await withSpan('git.pack.receive', {}, () =>
      observe('pack_write', () => writePack(file, options)),
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
 * @param write fills the file; what it returns is called with the number of objects once they are known to be good
 * @throws RequestError bad_request: the sentence says what is wrong with the pack
 */
export async function takePack(
  intake: PackIntake,
  write: (file: WritableFile) => Promise<(objects: number) => void>,
): Promise<ReceivedPack> {
  const { directory, parts, watch } = intake
  const { fileSystem } = parts
  const file = await fileSystem.create(join(directory, 'incoming.pack'))
  let withdrawals: number
  let index: Accepted
  try {
    const onChecked = await write(file)
    // Not before: it may have taken long to come, and nothing was checked meanwhile.
    withdrawals = parts.files.withdrawals(intake.repository)
    // The disk works while the pack is checked.
    const synced = file.sync()
    // It is awaited when the pack is good; of one that is refused, nobody has to hear what became of it.
    synced.catch(() => {})
    index = await withSpan('git.pack.index', {}, () => indexInWorker(file, intake))
    onChecked(index.objects)
    await synced
    if (index.completed) await file.sync()
  } finally {
    await file.close()
  }
  const tips = new Map(index.tips.map((tip) => [tip.oid, tip]))
  if (index.objects === 0) return { row: undefined, tips, withdrawals }
  watch.signal.throwIfAborted()
  await writeDurably(fileSystem, join(directory, 'incoming.idx'), index.index)
  const row = { name: index.packName, bytes: index.packBytes + index.index.length, ...index.counts }
  return { row, tips, withdrawals }
}

async function writePack(file: WritableFile, { reader, parts }: ReceiveOptions): Promise<number> {
  let position = 0
  let gathered: Buffer[] = []
  let gatheredBytes = 0
  let headerSeen = false
  const write = async (): Promise<void> => {
    const bytes = Buffer.concat(gathered, gatheredBytes)
    gathered = []
    gatheredBytes = 0
    await file.write(bytes, position)
    position += bytes.length
  }
  for await (const piece of reader.rest()) {
    gathered.push(piece)
    gatheredBytes += piece.length
    if (!headerSeen && gatheredBytes >= PACK_HEADER_BYTES) {
      headerSeen = true
      // Refused here, a pack that is too large by its own word costs nobody its transfer.
      refusing(() => decodePackHeader(Buffer.concat(gathered), parts.limits.packObjectsMax))
    }
    if (gatheredBytes >= WRITE_BYTES) await write()
  }
  if (gatheredBytes > 0) await write()
  return position
}

type Accepted = Extract<IndexResult, { accepted: true }>

async function indexInWorker(file: WritableFile, intake: PackIntake): Promise<Accepted> {
  const { directory, repository, tips, watch, parts, onProgress } = intake
  const { limits } = parts
  const task = {
    repositoryPath: parts.files.path(repository),
    packPath: join(directory, 'incoming.pack'),
    limits: {
      objectsMax: limits.packObjectsMax,
      objectBytesMax: limits.objectBytesMax,
      inflatedBytesMax: limits.packInflatedBytesMax,
      deltaDepthMax: limits.deltaDepthMax,
    },
    tips: Array.from(new Set(tips)),
  }
  const run = (): Promise<IndexResult> =>
    parts.pushSlots.run(repository.id, watch.signal, async () => {
      watch.progress()
      return parts.workers.index(
        task,
        {
          file,
          onProgress(progress) {
            watch.progress()
            onProgress(progress)
          },
        },
        watch.signal,
      )
    })
  // Waiting for a slot is not standing still: the queues are bounded, and the client may leave them.
  watch.pause()
  const objects = await declaredObjects(task.packPath)
  const result =
    objects > LARGE_OBJECTS ? await parts.largePushSlots.run(repository.id, watch.signal, run) : await run()
  watch.progress()
  if (!result.accepted) throw new RequestError({ code: 'bad_request' }, result.reason)
  return result
}

/** What the pack says of itself; 0 where it is too short to say anything. */
async function declaredObjects(packPath: string): Promise<number> {
  const pack = await open(packPath)
  try {
    const { buffer, bytesRead } = await pack.read(Buffer.alloc(PACK_HEADER_BYTES), 0, PACK_HEADER_BYTES, 0)
    return bytesRead === PACK_HEADER_BYTES ? buffer.readUInt32BE(8) : 0
  } finally {
    await pack.close()
  }
}

function refusing(check: () => void): void {
  try {
    check()
  } catch (error) {
    if (error instanceof GutsError) throw new RequestError({ code: 'bad_request' }, error.message, { cause: error })
    throw error
  }
}
