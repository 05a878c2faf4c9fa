import { readFileSync } from 'node:fs'
import type { BitSet } from '../../git/bitmap/bit-set.ts'
import { BitmapFile } from '../../git/bitmap/bitmap-file.ts'
import { NumberedCommits, NumberedTrees } from '../../git/object-graph/numbered-objects.ts'
import type { Reachability } from '../../git/object-graph/reachability.ts'
import type { PackFile } from './pack-file.ts'

/** What commits of one pack reach. */
export class PackBitmap implements Reachability {
  readonly pack: PackFile
  readonly targets = new Map<number, number>()
  readonly trees = new NumberedTrees()
  readonly commits = new NumberedCommits()
  readonly #file: BitmapFile

  /** @throws BitmapError */
  constructor(pack: PackFile) {
    const bytes = readFileSync(pack.path.replace(/\.pack$/, '.bitmap'))
    this.pack = pack
    this.#file = new BitmapFile(bytes, { objects: pack.index.count, checksum: pack.index.packChecksum })
  }

  get objects(): number {
    return this.pack.index.count
  }

  get blobs(): BitSet {
    return this.#file.types.blobs
  }

  numberOf(oid: Buffer, at: number): number {
    const rank = this.pack.index.rankOf(oid, at)
    return rank < 0 ? -1 : this.pack.order.positionOf(rank)
  }

  reachedFrom(number: number): BitSet | undefined {
    return this.#file.reachedFrom(this.pack.order.rankAt(number))
  }

  copyOid(number: number, target: Buffer, at: number): void {
    this.pack.index.copyOid(this.pack.order.rankAt(number), target, at)
  }
}
