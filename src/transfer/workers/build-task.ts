import { everyWantReaches } from '../../git/object-graph/reach.ts'
import { findBoundary } from '../../git/object-graph/deepen.ts'
import { fromHex } from '../../git/object-graph/object-reader.ts'
import { selectObjects } from '../../git/object-graph/select.ts'
import { SparseError } from '../../git/object-graph/sparse-patterns.ts'
import type { ObjectStore } from '../../storage/objects/object-store.ts'
import { ChosenObjects } from '../chosen-objects.ts'
import { buildPack } from '../pack-builder.ts'
import { holdStore, openStore, readerOf } from './open-stores.ts'
import { readSparse } from './read-sparse.ts'
import { RemoteFile } from './remote-file.ts'
import type {
  BuildResult,
  BuildTask,
  DeepenResult,
  DeepenTask,
  MeasureResult,
  MeasureTask,
  NegotiateTask,
} from './tasks.ts'

const READS_PER_REPORT = 4_096

/** Makes the pack that a fetch is answered with, or finds that it lies there already. */
export async function runBuild(task: BuildTask): Promise<BuildResult> {
  const store = holdStore(task.repositoryPath)
  const file = new RemoteFile(task.port)
  try {
    const progress = new ReadProgress(file)
    const reader = readerOf(store, (read) => progress.after(read))
    const selection = selectObjects(reader, {
      wants: task.wants.map(fromHex),
      haves: stillHere(store, task.haves),
      annotatedTags: namesIn(task.annotatedTags),
      shallow: task.shallow.map(fromHex),
      filter: task.filter,
      sparse: readSparse(store, task.sparse),
    })
    const chosen = ChosenObjects.of(store, selection)
    const stored = task.features.ofsDelta ? chosen.exactPack() : undefined
    if (stored !== undefined) {
      return { kind: 'stored', packPath: stored.path, objects: chosen.count, bytes: stored.source.bytes }
    }
    let bytes = 0
    await buildPack(store, chosen, task.features, async (chunk) => {
      const position = bytes
      bytes += chunk.length
      await file.write(chunk, position)
    })
    await file.flush()
    return { kind: 'built', objects: chosen.count, bytes }
  } catch (error) {
    if (error instanceof SparseError) return { kind: 'refused', reason: error.message }
    throw error
  } finally {
    file.close()
  }
}

/** Whether the client may stop saying what it has. */
export async function runNegotiate(task: NegotiateTask): Promise<boolean> {
  const store = holdStore(task.repositoryPath)
  return everyWantReaches(readerOf(store), task.wants.map(fromHex), stillHere(store, task.common))
}

function namesIn(names: Uint8Array): Buffer[] {
  const bytes = Buffer.from(names.buffer, names.byteOffset, names.length)
  return Array.from({ length: bytes.length / 20 }, (_, at) => bytes.subarray(at * 20, at * 20 + 20))
}

/** What a client has may be pruned while its fetch waits for a slot; then more is sent to it than it needs. */
function stillHere(store: ObjectStore, oids: readonly string[]): Buffer[] {
  return oids.map(fromHex).filter((oid) => store.has(oid))
}

/** Where the client's history is to end. */
export async function runDeepen({ repositoryPath, wants, shallows, deepen }: DeepenTask): Promise<DeepenResult> {
  const store = holdStore(repositoryPath)
  const reader = readerOf(store)
  const deepening = { ...deepen, not: deepen.not.map(fromHex) }
  const boundary = findBoundary(reader, wants.map(fromHex), stillHere(store, shallows), deepening)
  if (boundary === undefined) return undefined
  const toHex = (oids: readonly Buffer[]): string[] => oids.map((oid) => oid.toString('hex'))
  return {
    shallow: toHex(boundary.shallow),
    unshallow: toHex(boundary.unshallow),
    parents: toHex(boundary.parents),
  }
}

export function runMeasure({ repositoryPath, oids }: MeasureTask): MeasureResult {
  const store = openStore(repositoryPath)
  return oids.map((oid) => store.sizeOf(fromHex(oid)))
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
