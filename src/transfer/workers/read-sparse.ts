import { peelToCommit } from '../../git/object-graph/object-reader.ts'
import {
  overSparseLimit,
  type Sparse,
  SPARSE_LIMITS,
  SparseError,
  SparsePatterns,
  SparseBudget,
} from '../../git/object-graph/sparse-patterns.ts'
import { parseCommit } from '../../git/object/commit.ts'
import { OBJECT_TYPE } from '../../git/object/type.ts'
import type { ObjectStore } from '../../storage/objects/object-store.ts'
import { Refused } from './browse-objects.ts'
import { PathFinder } from './browse-path.ts'
import { readerOf } from './open-stores.ts'
import type { SparseSource } from './tasks.ts'

/**
 * @returns undefined where the filter names no patterns
 * @throws SparseError
 */
export function readSparse(store: ObjectStore, sources: readonly SparseSource[]): Sparse | undefined {
  if (sources.length === 0) return undefined
  if (sources.length > SPARSE_LIMITS.sparse_filters.value) throw overSparseLimit('sparse_filters')
  const budget = new SparseBudget()
  let bytes = 0
  const lists = sources.map((source) => {
    const text = readBlob(store, source)
    bytes += text.length
    if (bytes > SPARSE_LIMITS.sparse_filter_bytes.value) throw overSparseLimit('sparse_filter_bytes')
    return new SparsePatterns(text, budget)
  })
  return { lists, budget }
}

function readBlob(store: ObjectStore, source: SparseSource): Buffer {
  const oid = find(store, source)
  if (oid === undefined || store.typeOf(oid) !== OBJECT_TYPE.blob) {
    throw new SparseError({ code: 'sparse_blob_missing' }, 'unable to access sparse blob')
  }
  if ((store.sizeOf(oid) ?? 0) > SPARSE_LIMITS.sparse_filter_bytes.value) throw overSparseLimit('sparse_filter_bytes')
  return store.mustRead(oid).data
}

/** @returns undefined where there is nothing at the path, or what has none */
function find(store: ObjectStore, { oid: name, path }: SparseSource): Buffer | undefined {
  const oid = Buffer.from(name, 'hex')
  if (path === '' || !store.has(oid)) return oid
  const commit = peelToCommit(readerOf(store), oid)
  const tree = commit === undefined ? oid : Buffer.from(parseCommit(store.mustRead(commit).data).tree, 'hex')
  if (store.typeOf(tree) !== OBJECT_TYPE.tree) return undefined
  try {
    return new PathFinder(store, path).find(tree)?.oid
  } catch (error) {
    // A folder on the way is larger than anybody looks at.
    if (error instanceof Refused) return undefined
    throw error
  }
}
