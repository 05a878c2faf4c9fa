import type { Selection } from '../../git/object-graph/select.ts'
import { PackError } from '../../git/pack/error.ts'
import { encodePackIndex } from '../../git/pack/index-file.ts'
import { indexPack } from '../../git/pack/indexer.ts'
import { OidMap } from '../../git/pack/oid-map.ts'
import { ObjectStore } from '../../storage/objects/object-store.ts'
import type { PackFile } from '../../storage/objects/pack-file.ts'
import { FileSource } from '../../storage/objects/pack-file.ts'
import { buildPack } from '../pack-builder.ts'
import { RemoteFile } from './remote-file.ts'
import type { ObjectCounts, RepackResult, RepackTask } from './tasks.ts'

const CACHE_BYTES = 16 * 1024 * 1024
/** Whatever is stored came in within the limits of its time. */
const NO_LIMITS = {
  objectsMax: Number.MAX_SAFE_INTEGER,
  objectBytesMax: Number.MAX_SAFE_INTEGER,
  inflatedBytesMax: Number.POSITIVE_INFINITY,
  deltaDepthMax: Number.MAX_SAFE_INTEGER,
}

/**
 * Makes one pack of everything in some, and reads it once more: what is not, by its name, what they hold, or not there, is
 * found before any of them goes.
 *
 * @throws PackError, StorageError: something stored is damaged
 */
export async function runRepack(task: RepackTask): Promise<RepackResult> {
  const file = new RemoteFile(task.port)
  let store: ObjectStore | undefined
  try {
    store = new ObjectStore(task.repositoryPath, CACHE_BYTES, task.packs)
    const selection = everythingIn(store.packs)
    let bytes = 0
    await buildPack(store, selection, { thinPack: false, ofsDelta: true }, async (chunk) => {
      const position = bytes
      bytes += chunk.length
      await file.write(chunk, position)
    })
    await file.flush()
    const packs = store.packs.map(({ name }) => name.slice('pack-'.length))
    return { packs, ...readAgain(task.packPath, selection, file) }
  } finally {
    store?.close()
    file.close()
  }
}

/** Each object once, however many of the packs hold it. */
function everythingIn(packs: readonly PackFile[]): Selection {
  const countMax = packs.reduce((sum, pack) => sum + pack.index.count, 0)
  const oids = Buffer.allocUnsafe(countMax * 20)
  const seen = new OidMap(countMax)
  let count = 0
  for (const { index } of packs) {
    for (let rank = 0; rank < index.count; rank++) {
      index.copyOid(rank, oids, count * 20)
      if (seen.get(oids, count * 20) !== -1) continue
      seen.set(oids, count * 20, count)
      count++
    }
  }
  return { oids: oids.subarray(0, count * 20), count, isKnown: () => false }
}

function readAgain(packPath: string, selection: Selection, file: RemoteFile): Omit<RepackResult, 'packs'> {
  const source = new FileSource(packPath)
  try {
    const byType = [0, 0, 0, 0, 0]
    const { entries } = indexPack(source, NO_LIMITS, {
      onDeclared() {},
      onObject: (type) => (byType[type]! += 1),
      readBase: () => undefined,
      onProgress: (phase, done, total) => file.progress({ phase, done, total }),
    })
    for (let at = 0; at < selection.count; at++) {
      if (entries.byOid.get(selection.oids, at * 20) >= 0) continue
      const oid = selection.oids.toString('hex', at * 20, at * 20 + 20)
      const message = `Object ${oid} is damaged: by its bytes it has another name`
      throw new PackError({ code: 'object_missing', oid }, message)
    }
    const { packName, bytes } = encodePackIndex(entries, source.readTrailer())
    const [, commits = 0, trees = 0, blobs = 0, tags = 0] = byType
    const counts: ObjectCounts = { commits, trees, blobs, tags }
    return { packName, packBytes: source.bytes, index: new Uint8Array(bytes), objects: entries.count, counts }
  } finally {
    source.close()
  }
}
