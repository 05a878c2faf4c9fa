import type { NumberedPack } from '../../git/bitmap/write-bitmaps.ts'
import type { PackFile } from './pack-file.ts'

/** A pack whose objects are numbered as they lie, for its bitmaps. */
export function numberedPack(pack: PackFile): NumberedPack {
  const { index, order } = pack
  return {
    objects: index.count,
    checksum: index.packChecksum,
    numberOf(oid, at) {
      const rank = index.rankOf(oid, at)
      return rank < 0 ? -1 : order.positionOf(rank)
    },
    rankOf: (number) => order.rankAt(number),
    oidOf(number) {
      const oid = Buffer.alloc(20)
      index.copyOid(order.rankAt(number), oid, 0)
      return oid
    },
    types: () => typesInOrder(pack),
  }
}

/** Front to back, so that the type of a delta is that of a base which mostly came before. */
function typesInOrder(pack: PackFile): Uint8Array {
  const { order } = pack
  const types = new Uint8Array(order.count)
  for (let position = 0; position < order.count; position++) {
    const offset = order.offsetAt(position)
    const { type, baseOffset } = pack.entryAt(offset)
    const base = baseOffset < 0 ? type : (types[order.positionAt(baseOffset)] as number)
    types[position] = base === 0 ? pack.typeAt(offset) : base
  }
  return types
}
