import { BitSet } from '../../git/bitmap/bit-set.ts'
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
 * Makes one pack of what is chosen from some, and reads it once more: what is not, by its name, what they hold, or not
 * there, is found before any of them goes.
 *
 * @throws PackError, StorageError: something stored is damaged
 */
export async function runRepack(task: RepackTask): Promise<RepackResult> {
  const file = new RemoteFile(task.port)
  let store: ObjectStore | undefined
  try {
    const names = task.packs.map(({ name }) => name)
    store = ObjectStore.held(task.repositoryPath, CACHE_BYTES, names)
    const chosen = chosenOf(task.packs, store.packs)
    let bytes = 0
    await buildPack(store, chosen, { thinPack: false, ofsDelta: true }, async (chunk) => {
      const position = bytes
      bytes += chunk.length
      await file.write(chunk, position)
    })
    await file.flush()
    const packs = store.packs.map(({ name }) => name.slice('pack-'.length))
    return { packs, ...readAgain(task.packPath, chosen, file) }
  } finally {
    store?.close()
    file.close()
  }
}

/** From packs that are there: what is missing is told by which of them are. */
function chosenOf(wanted: RepackTask['packs'], packs: readonly PackFile[]): ChosenObjects {
  const places = packs.flatMap((pack) => {
    const positions = wanted.find(({ name }) => pack.name === `pack-${name}`)?.positions
    return positions === undefined ? [] : [{ pack, positions: new BitSet(0, positions) }]
  })
  return places.length > 0 ? ChosenObjects.at(places) : ChosenObjects.allOf(packs)
}

function readAgain(packPath: string, chosen: ChosenObjects, file: RemoteFile): Omit<RepackResult, 'packs'> {
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
    for (const { pack, positions } of chosen.packs) {
      positions.forEach((position) => {
        pack.index.copyOid(pack.order.rankAt(position), name, 0)
        if (entries.find(name) >= 0) return
        const oid = name.toString('hex')
        const message = `Object ${oid} is damaged: by its bytes it has another name`
        throw new PackError({ code: 'object_missing', oid }, message)
      })
    }
    const { packName, bytes } = encodePackIndex(entries, readTrailer(source))
    const [, commits = 0, trees = 0, blobs = 0, tags = 0] = byType
    const counts: ObjectCounts = { commits, trees, blobs, tags }
    return { packName, packBytes: source.bytes, index: new Uint8Array(bytes), objects: entries.count, counts }
  } finally {
    source.close()
  }
}
