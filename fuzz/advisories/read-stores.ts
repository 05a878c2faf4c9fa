/** Files beside packs, as they are read from a disk that somebody else's git wrote to. */
import { BitmapFile } from '../../src/git/bitmap/bitmap-file.ts'
import { decodeEwah } from '../../src/git/bitmap/ewah.ts'
import { CommitGraph } from '../../src/git/commit-graph/commit-graph.ts'
import { PackIndex } from '../../src/git/pack/index-file.ts'
import { withChecksum } from '../../integration/support/pack-maker.ts'
import { withinBudget } from '../oracles/allocation-meter.ts'

/** What they declare is not what is asked for: they stay in memory as they are on disk. */
const ALLOCATION_BYTES_MAX = 16_384

export function readPackIndex(bytes: Buffer): undefined {
  const index = withinBudget(ALLOCATION_BYTES_MAX, () => new PackIndex(bytes))
  for (let rank = 0; rank < index.count; rank++) {
    index.offsetOf(rank)
    index.rankOf(Buffer.from(index.oidAt(rank), 'hex'))
  }
  for (const first of [0x00, 0xff]) index.rankOf(Buffer.alloc(20, first))
}

/** @param bytes two of how many bits there may be, then the set */
export function readEwah(bytes: Buffer): undefined {
  const size = bytes.readUInt16BE(0)
  withinBudget(ALLOCATION_BYTES_MAX, () => decodeEwah(bytes, 2, size))
}

/** @param bytes one of how many objects the pack has, then the file without its checksum */
export function readBitmap(bytes: Buffer): undefined {
  const objects = bytes.readUInt8(0)
  const file = withChecksum(bytes.subarray(1))
  const bitmap = new BitmapFile(file, { objects, checksum: file.subarray(12, 32) })
  void bitmap.types
  for (let rank = 0; rank < objects; rank++) bitmap.reachedFrom(rank)
}

/** @param bytes without their checksum */
export function readCommitGraph(bytes: Buffer): undefined {
  const graph = new CommitGraph(withChecksum(bytes))
  for (let rank = 0; rank < graph.count; rank++) graph.parentsOf(rank)
}
