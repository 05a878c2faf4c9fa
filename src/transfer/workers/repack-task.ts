import { OBJECT_TYPE } from '../../git/object/type.ts'
import { PackError } from '../../git/pack/error.ts'
import { encodePackIndex } from '../../git/pack/index-file.ts'
import { indexPack } from '../../git/pack/indexer.ts'
import { ObjectStore } from '../../storage/objects/object-store.ts'
import type { PackFile } from '../../storage/objects/pack-file.ts'
import { FileSource, readTrailer } from '../../storage/objects/pack-file.ts'
import { ChosenObjects } from '../chosen-objects.ts'
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
    const chosen = ChosenObjects.allOf(store.packs)
    let bytes = 0
    await buildPack(store, chosen, { thinPack: false, ofsDelta: true }, async (chunk) => {
      const position = bytes
      bytes += chunk.length
      await file.write(chunk, position)
    })
    await file.flush()
    const packs = store.packs.map(({ name }) => name.slice('pack-'.length))
    return { packs, ...readAgain(task.packPath, store.packs, file) }
  } finally {
    store?.close()
    file.close()
  }
}

function readAgain(packPath: string, packs: readonly PackFile[], file: RemoteFile): Omit<RepackResult, 'packs'> {
  const source = new FileSource(packPath)
  try {
    const byType = [0, 0, 0, 0, 0]
    const { entries } = indexPack(source, NO_LIMITS, {
      onDeclared() {},
      onObject: (type) => (byType[type]! += 1),
      onLargeBlob: () => (byType[OBJECT_TYPE.blob]! += 1),
      readBase: () => undefined,
      onProgress: (phase, done, total) => file.progress({ phase, done, total }),
    })
    const name = Buffer.alloc(20)
    for (const { index } of packs) {
      for (let rank = 0; rank < index.count; rank++) {
        index.copyOid(rank, name, 0)
        if (entries.find(name) >= 0) continue
        const oid = name.toString('hex')
        const message = `Object ${oid} is damaged: by its bytes it has another name`
        throw new PackError({ code: 'object_missing', oid }, message)
      }
    }
    const { packName, bytes } = encodePackIndex(entries, readTrailer(source))
    const [, commits = 0, trees = 0, blobs = 0, tags = 0] = byType
    const counts: ObjectCounts = { commits, trees, blobs, tags }
    return { packName, packBytes: source.bytes, index: new Uint8Array(bytes), objects: entries.count, counts }
  } finally {
    source.close()
  }
}
