import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { hasErrorCode } from '../../errors.ts'
import { BitmapError } from '../../git/bitmap/error.ts'
import { CommitGraph } from '../../git/commit-graph/commit-graph.ts'
import { CommitGraphError } from '../../git/commit-graph/error.ts'
import { PackBitmap } from './pack-bitmap.ts'
import type { PackFile } from './pack-file.ts'

/**
 * A repository's commit-graph and bitmaps. They hold nothing that the objects do not: where one is damaged, or is gone
 * when we come to read it, walks do without, and `guts repo fsck` says so.
 */
export class WalkHelps {
  readonly #graphPath: string
  #graph: { readonly stamp: string; readonly read: CommitGraph | undefined } | undefined
  #bitmap: { readonly pack: PackFile; readonly read: PackBitmap | undefined } | undefined
  /** Names of packs, without their extension. */
  #packsWithBitmap: ReadonlySet<string> = new Set()

  /** @param directory `objects` of the repository */
  constructor(directory: string) {
    this.#graphPath = join(directory, 'info', 'commit-graph')
  }

  /** @param files those beside the packs */
  refresh(files: ReadonlySet<string>): void {
    const bitmaps = [...files].filter((file) => file.endsWith('.bitmap'))
    this.#packsWithBitmap = new Set(bitmaps.map((file) => file.slice(0, -'.bitmap'.length)))
    if (this.#graph !== undefined && this.#graph.stamp !== this.#graphStamp()) this.#graph = undefined
  }

  graph(): CommitGraph | undefined {
    if (this.#graph === undefined) {
      const stamp = this.#graphStamp()
      this.#graph = {
        stamp,
        read: stamp === '' ? undefined : orNone(() => new CommitGraph(readFileSync(this.#graphPath))),
      }
    }
    return this.#graph.read
  }

  /** As C git takes one, it is that of the largest pack which has any. */
  bitmap(packs: readonly PackFile[]): PackBitmap | undefined {
    let largest: PackFile | undefined
    for (const pack of packs) {
      if (this.#packsWithBitmap.has(pack.name) && pack.index.count > (largest?.index.count ?? 0)) largest = pack
    }
    if (largest === undefined) this.#bitmap = undefined
    else if (this.#bitmap?.pack !== largest) {
      const pack = largest
      this.#bitmap = { pack, read: orNone(() => new PackBitmap(pack)) }
    }
    return this.#bitmap?.read
  }

  /** Changes with the file: git and we put a new one in its place, and never write into it. */
  #graphStamp(): string {
    const found = statSync(this.#graphPath, { throwIfNoEntry: false })
    return found === undefined ? '' : `${found.ino} ${found.mtimeMs} ${found.size}`
  }
}

function orNone<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    const isUnusable =
      error instanceof BitmapError || error instanceof CommitGraphError || hasErrorCode(error, 'ENOENT')
    if (!isUnusable) throw error
    return undefined
  }
}
