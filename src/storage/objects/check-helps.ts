import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BitmapError } from '../../git/bitmap/error.ts'
import { CommitGraph } from '../../git/commit-graph/commit-graph.ts'
import { CommitGraphError } from '../../git/commit-graph/error.ts'
import { hasErrorCode } from '../../errors.ts'
import { PackBitmap } from './pack-bitmap.ts'
import type { PackFile } from './pack-file.ts'

/**
 * What walks do without because it is damaged (walk-helps.ts).
 *
 * @param repositoryPath the bare repository
 * @returns a sentence for each file
 */
export function damagedHelps(repositoryPath: string, packs: readonly PackFile[]): string[] {
  const graph = join(repositoryPath, 'objects/info/commit-graph')
  const bitmaps = packs.filter(({ path }) => existsSync(path.replace(/\.pack$/, '.bitmap')))
  const checks = [
    { name: 'objects/info/commit-graph', read: () => new CommitGraph(readFileSync(graph)) },
    ...bitmaps.map((pack) => ({ name: `objects/pack/${pack.name}.bitmap`, read: () => new PackBitmap(pack).blobs })),
  ]
  return checks.flatMap(({ name, read }) => {
    try {
      read()
      return []
    } catch (error) {
      // None is there, or it went while we looked.
      if (hasErrorCode(error, 'ENOENT')) return []
      if (!(error instanceof BitmapError || error instanceof CommitGraphError)) throw error
      return [`${name}: ${error.message}; guts repo gc writes it anew`]
    }
  })
}
