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
}

export const NO_FILTER: ObjectFilter = { blobBytes: undefined, treeDepth: undefined, type: undefined }

export function isFiltering({ blobBytes, treeDepth, type }: ObjectFilter): boolean {
  return blobBytes !== undefined || treeDepth !== undefined || type !== undefined
}
