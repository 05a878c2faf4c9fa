import { join } from 'node:path'
import { PACK_HEADER_BYTES, decodePackHeader } from '../git/pack/header.ts'
import { GutsError, RequestError } from '../errors.ts'
import type { PushCommand } from '../git/protocol/push-request.ts'
import { addAccessFields } from '../observability/context.ts'
import { withSpan } from '../observability/tracing.ts'
import { type WritableFile, writeDurably } from '../storage/file-system.ts'
import type { PackRow } from '../storage/repositories/ref-store.ts'
import type { GitRequest } from './git-request.ts'
import type { ProgressWatch } from './progress-watch.ts'
import type { RequestReader } from './request-reader.ts'
import type { TransferParts } from './transfer.ts'
import type { TaskProgress } from './workers/remote-file.ts'
import type { IndexResult, Tip } from './workers/tasks.ts'

/** So much is gathered before it is written: small writes cost more than their bytes. */
const WRITE_BYTES = 256 * 1024

export interface ReceivedPack {
  /** undefined: the pack was empty, everything wanted is here */
  readonly row: PackRow | undefined
  readonly tips: ReadonlyMap<string, Tip>
}

export interface ReceiveOptions {
  readonly reader: RequestReader
  readonly directory: string
  readonly request: GitRequest
  readonly commands: readonly PushCommand[]
  readonly watch: ProgressWatch
  readonly parts: TransferParts
  onProgress(progress: TaskProgress): void
}

/**
 * Takes a pack into quarantine, checks and indexes it in a worker thread, and makes both files durable: what
 * `publishPack` moves into sight.
 *
 * @throws RequestError bad_request: the sentence says what is wrong with the pack
 */
export async function receivePack(options: ReceiveOptions): Promise<ReceivedPack> {
  const { directory, parts } = options
  const { fileSystem, metrics, observe } = parts
  const file = await fileSystem.create(join(directory, 'incoming.pack'))
  let index: Accepted
  try {
    const packBytes = await withSpan('git.pack.receive', {}, () =>
      observe('pack_write', () => writePack(file, options)),
    )
    metrics.gitPackBytes.inc({ direction: 'in' }, packBytes)
    addAccessFields({ pack_bytes: packBytes })
    index = await withSpan('git.pack.index', { 'git.pack.bytes': packBytes }, () => indexInWorker(file, options))
    metrics.gitObjects.inc({ direction: 'in' }, index.objects)
    addAccessFields({ objects: index.objects })
    await file.sync()
  } finally {
    await file.close()
  }
  const tips = new Map(index.tips.map((tip) => [tip.oid, tip]))
  if (index.objects === 0) return { row: undefined, tips }
  options.watch.signal.throwIfAborted()
  await writeDurably(fileSystem, join(directory, 'incoming.idx'), index.index)
  return { row: { name: index.packName, bytes: index.packBytes + index.index.length, ...index.counts }, tips }
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

async function indexInWorker(file: WritableFile, options: ReceiveOptions): Promise<Accepted> {
  const { directory, request, commands, watch, parts, onProgress } = options
  const { limits } = parts
  const task = {
    repositoryPath: parts.files.path(request.repository),
    packPath: join(directory, 'incoming.pack'),
    limits: {
      objectsMax: limits.packObjectsMax,
      objectBytesMax: limits.objectBytesMax,
      inflatedBytesMax: limits.packInflatedBytesMax,
      deltaDepthMax: limits.deltaDepthMax,
    },
    tips: Array.from(new Set(commands.flatMap((command) => command.newOid ?? []))),
  }
  // Waiting for a slot is not standing still: the queue is bounded, and the client may leave it.
  watch.pause()
  const result = await parts.pushSlots.run(request.repository.id, request.signal, async () => {
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
  watch.progress()
  if (!result.accepted) throw new RequestError({ code: 'bad_request' }, result.reason)
  return result
}

function refusing(check: () => void): void {
  try {
    check()
  } catch (error) {
    if (error instanceof GutsError) throw new RequestError({ code: 'bad_request' }, error.message, { cause: error })
    throw error
  }
}
