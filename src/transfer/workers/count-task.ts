import { numberedPack } from '../../storage/objects/numbered-pack.ts'
import { holdStore } from './open-stores.ts'
import type { CountResult, CountTask } from './tasks.ts'

/**
 * What packs hold that nobody has counted: an operator's git made them.
 *
 * @throws PackError, StorageError: something stored is damaged
 */
export function runCount({ repositoryPath, packs }: CountTask): CountResult {
  const store = holdStore(repositoryPath)
  const wanted = packs.map((name) => `pack-${name}`)
  const counted = store.packs.filter(({ name }) => !wanted.includes(name))
  return wanted.flatMap((name) => {
    const pack = store.packs.find((one) => one.name === name)
    if (pack === undefined) return []
    const numbered = numberedPack(pack)
    const byType = [0, 0, 0, 0, 0]
    for (const [number, type] of numbered.types().entries()) {
      const oid = numbered.oidOf(number)
      if (counted.every(({ index }) => index.rankOf(oid) < 0)) byType[type]! += 1
    }
    counted.push(pack)
    const [, commits = 0, trees = 0, blobs = 0, tags = 0] = byType
    return [
      { name: name.slice('pack-'.length), bytes: pack.source.bytes + pack.index.bytes, commits, trees, blobs, tags },
    ]
  })
}
