/**
 * What a partial clone leaves out (git-rev-list, "--filter"). All of it together: an object is sent that each of the
 * conditions lets through. What the client names itself is always sent, or nothing could be fetched later.
 */
export interface ObjectFilter {
  /** Blobs of so many bytes or more are left out; 0: all blobs. */
  readonly blobBytes: number | undefined
  /** Trees and blobs so deep below a commit are left out, or deeper; its own tree is at 0. */
  readonly treeDepth: number | undefined
  /** Only objects of this type: 1–4; 0: of none. */
  readonly type: number | undefined
  /** Each names a blob with the patterns of a sparse checkout, as a person would; blobs that it leaves out are. */
  readonly sparse: readonly string[]
}

export const NO_FILTER: ObjectFilter = { blobBytes: undefined, treeDepth: undefined, type: undefined, sparse: [] }

export function isFiltering({ blobBytes, treeDepth, type, sparse }: ObjectFilter): boolean {
  return blobBytes !== undefined || treeDepth !== undefined || type !== undefined || sparse.length > 0
}
