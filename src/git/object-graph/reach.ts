import { parseCommit } from '../object/commit.ts'
import { OBJECT_TYPE } from '../object/type.ts'
import { parseTag } from '../object/tag.ts'
import { OidMap } from '../pack/oid-map.ts'
import type { ObjectReader } from './select.ts'

/**
 * Whether every wanted commit reaches one of `common`, so that a receiver that has those need not say what else it has
 * (ok_to_give_up in C git's upload-pack.c). Looks at no commit that is older than all of `common`: where clocks were
 * wrong the answer may be no, and the negotiation goes on.
 */
export function everyWantReaches(reader: ObjectReader, wants: readonly Buffer[], common: readonly Buffer[]): boolean {
  if (common.length === 0) return false
  const reached = new OidMap(common.length)
  let oldestS = Number.POSITIVE_INFINITY
  for (const oid of common) {
    const commit = peelToCommit(reader, oid)
    if (commit === undefined) continue
    reached.set(commit, 0, 1)
    oldestS = Math.min(oldestS, parseCommit(reader.read(commit, 0).data).committerTimeS)
  }
  return wants.every((want) => {
    const commit = peelToCommit(reader, want)
    return commit === undefined || reaches(reader, commit, reached, oldestS)
  })
}

function reaches(reader: ObjectReader, start: Buffer, reached: OidMap, oldestS: number): boolean {
  const seen = new OidMap()
  const stack = [start]
  for (let oid = stack.pop(); oid !== undefined; oid = stack.pop()) {
    if (reached.get(oid) === 1) {
      // Another want may come by here.
      reached.set(start, 0, 1)
      return true
    }
    if (seen.get(oid) === 1) continue
    seen.set(oid, 0, 1)
    const { parents, committerTimeS } = parseCommit(reader.read(oid, 0).data)
    if (committerTimeS < oldestS) continue
    for (const parent of parents) stack.push(Buffer.from(parent, 'hex'))
  }
  return false
}

function peelToCommit(reader: ObjectReader, oid: Buffer): Buffer | undefined {
  for (let name = oid; ;) {
    const { type, data } = reader.read(name, 0)
    if (type === OBJECT_TYPE.commit) return name
    if (type !== OBJECT_TYPE.tag) return undefined
    name = Buffer.from(parseTag(data).object, 'hex')
  }
}
