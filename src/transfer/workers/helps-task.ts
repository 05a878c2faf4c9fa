import { writeBitmaps } from '../../git/bitmap/write-bitmaps.ts'
import { CommitGraph } from '../../git/commit-graph/commit-graph.ts'
import { makeCommitGraph } from '../../git/commit-graph/gather.ts'
import { numberedPack } from '../../storage/objects/numbered-pack.ts'
import type { ObjectStore } from '../../storage/objects/object-store.ts'
import type { PackFile } from '../../storage/objects/pack-file.ts'
import { readPackTimes } from '../../storage/objects/pack-times.ts'
import { holdStore, readerOf } from './open-stores.ts'
import type { HelpsResult, HelpsTask } from './tasks.ts'

/** @throws PackError, StorageError: something stored is damaged */
export function runHelps({ repositoryPath, tips, commitsKnown, anew }: HelpsTask): HelpsResult {
  const store = holdStore(repositoryPath)
  const isGraphOld = anew || (store.graph?.count ?? 0) < commitsKnown
  const largest = largestOf(store)
  const isBitmapOld = largest !== undefined && (anew || store.bitmap?.pack !== largest)
  if (!isGraphOld && !isBitmapOld) return { graph: undefined, bitmap: undefined }
  return makeHelps(
    store,
    tips.map((oid) => Buffer.from(oid, 'hex')),
    { graph: isGraphOld, bitmap: isBitmapOld },
  )
}

/**
 * @param tips what refs point to
 * @param which of the two is wanted
 */
export function makeHelps(
  store: ObjectStore,
  tips: readonly Buffer[],
  which: { readonly graph: boolean; readonly bitmap: boolean },
): HelpsResult {
  const reader = readerOf(store)
  const graph = which.graph ? makeCommitGraph(reader, tips) : undefined
  const largest = largestOf(store)
  if (!which.bitmap || largest === undefined) return { graph, bitmap: undefined }
  const walked = { read: reader.read, graph: graph === undefined ? reader.graph : new CommitGraph(graph) }
  const bytes = writeBitmaps(walked, numberedPack(largest), tips)
  return { graph, bitmap: bytes === undefined ? undefined : { packName: largest.name, bytes } }
}

/** No ref reaches what lies in a pack with times. */
function largestOf({ packsBySize }: ObjectStore): PackFile | undefined {
  return packsBySize.find((pack) => readPackTimes(pack) === undefined)
}
