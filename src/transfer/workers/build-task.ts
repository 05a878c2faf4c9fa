import { everyWantReaches } from '../../git/object-graph/reach.ts'
import { type ObjectReader, selectObjects } from '../../git/object-graph/select.ts'
import type { ObjectStore } from '../../storage/objects/object-store.ts'
import { buildPack } from '../pack-builder.ts'
import { openStore } from './open-stores.ts'
import { RemoteFile } from './remote-file.ts'
import type { BuildResult, BuildTask, NegotiateTask } from './tasks.ts'

const READS_PER_REPORT = 4_096

/** Makes the pack that a fetch is answered with, or finds that it lies there already. */
export async function runBuild(task: BuildTask): Promise<BuildResult> {
  const store = openStore(task.repositoryPath)
  const file = new RemoteFile(task.port)
  try {
    const progress = new ReadProgress(file)
    const selection = selectObjects(
      { read: (oid, at) => progress.after(store.mustRead(oid, at)) },
      fromHex(task.wants),
      fromHex(task.haves),
      fromHex(task.annotatedTags),
    )
    const { oids, count } = selection
    const stored = task.features.ofsDelta ? exactPack(store, oids, count) : undefined
    if (stored !== undefined) {
      return { kind: 'stored', packPath: stored.path, objects: count, bytes: stored.source.bytes }
    }
    let bytes = 0
    await buildPack(store, selection, task.features, async (chunk) => {
      const position = bytes
      bytes += chunk.length
      await file.write(chunk, position)
    })
    await file.flush()
    return { kind: 'built', objects: count, bytes }
  } finally {
    file.close()
  }
}

/** Whether the client may stop saying what it has. */
export async function runNegotiate(task: NegotiateTask): Promise<boolean> {
  return everyWantReaches(readerOf(openStore(task.repositoryPath)), fromHex(task.wants), fromHex(task.common))
}

/** Long walks say that they move: nothing else comes out of them before their end. */
class ReadProgress {
  readonly #file: RemoteFile
  #reads = 0

  constructor(file: RemoteFile) {
    this.#file = file
  }

  after<T>(read: T): T {
    this.#reads++
    if (this.#reads % READS_PER_REPORT === 0) this.#file.progress({ phase: 'selecting', done: this.#reads, total: 0 })
    return read
  }
}

function readerOf(store: ObjectStore): ObjectReader {
  return { read: (oid, at) => store.mustRead(oid, at) }
}

/** The pack that holds just the selected objects, and nothing that the receiver may not see. */
function exactPack(store: ObjectStore, oids: Buffer, count: number): ObjectStore['packs'][number] | undefined {
  const candidates = store.packs.filter((pack) => pack.index.count === count)
  return candidates.find((pack) => {
    for (let i = 0; i < count; i++) if (pack.index.rankOf(oids, i * 20) < 0) return false
    return true
  })
}

function fromHex(oids: readonly string[]): Buffer[] {
  return oids.map((oid) => Buffer.from(oid, 'hex'))
}
