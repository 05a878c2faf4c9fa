import { writeBitmaps } from '../../git/bitmap/write-bitmaps.ts'
import { CommitGraph } from '../../git/commit-graph/commit-graph.ts'
import { makeCommitGraph } from '../../git/commit-graph/gather.ts'
import { numberedPack } from '../../storage/objects/numbered-pack.ts'
import type { ObjectStore } from '../../storage/objects/object-store.ts'
import { readerOf } from './open-stores.ts'

/** What walks over a repository are helped by, as files that C git reads. */
export interface MadeHelps {
  /** `objects/info/commit-graph` */
  readonly graph: Uint8Array | undefined
  /** To lie beside the pack. */
  readonly bitmap: { readonly packName: string; readonly bytes: Uint8Array } | undefined
}

/**
 * @param tips what refs point to
 * @param onProgress with commits that got their bits, and how many are to get some
 */
export function makeHelps(
  store: ObjectStore,
  tips: readonly Buffer[],
  onProgress: (done: number, total: number) => void,
): MadeHelps {
  const reader = readerOf(store)
  const graph = makeCommitGraph(reader, tips)
  const [largest] = store.packs.toSorted((a, b) => b.index.count - a.index.count)
  const walked = { read: reader.read, graph: graph === undefined ? undefined : new CommitGraph(graph) }
  const bytes = largest === undefined ? undefined : writeBitmaps(walked, numberedPack(largest), tips, onProgress)
  return {
    graph,
    bitmap: largest === undefined || bytes === undefined ? undefined : { packName: largest.name, bytes },
  }
}
