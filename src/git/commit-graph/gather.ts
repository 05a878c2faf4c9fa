import { OidMap } from '../pack/oid-map.ts'
import { type ObjectReader, Peeler, readCommit } from '../object-graph/object-reader.ts'
import { encodeCommitGraph } from './encode.ts'

const GROWTH_BYTES = 20 * 4096

/**
 * The commit-graph of all that the tips reach. What the graph of before knows is not read again.
 *
 * @param tips what refs point to
 * @returns undefined where there is no commit
 */
export function makeCommitGraph(reader: ObjectReader, tips: readonly Buffer[]): Buffer | undefined {
  const numbers = new OidMap()
  const oids = new Names()
  const trees = new Names()
  const parents: number[][] = []
  const times: number[] = []
  const numberOf = (oid: Buffer): number => {
    const known = numbers.get(oid)
    if (known !== -1) return known
    const number = oids.push(oid)
    numbers.set(oid, 0, number)
    return number
  }
  const peeler = new Peeler(reader)
  for (const tip of tips) {
    const commit = peeler.commitOf(tip)
    if (commit !== undefined) numberOf(commit)
  }
  // The list grows while it is gone through.
  for (let number = 0; number < oids.count; number++) {
    const commit = readCommit(reader, oids.at(number))
    trees.push(commit.tree)
    times.push(commit.committerTimeS)
    parents.push(commit.parents.map(numberOf))
  }
  if (oids.count === 0) return undefined
  return encodeCommitGraph({
    count: oids.count,
    oids: oids.bytes,
    trees: trees.bytes,
    parents,
    timesS: Float64Array.from(times),
  })
}

/** A list of names that grows. */
class Names {
  count = 0
  #bytes = Buffer.alloc(GROWTH_BYTES)

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.count * 20)
  }

  /** @returns a copy */
  at(number: number): Buffer {
    return Buffer.from(this.#bytes.subarray(number * 20, number * 20 + 20))
  }

  /** @returns its number */
  push(oid: Buffer): number {
    if (this.count * 20 === this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], this.#bytes.length * 2)
    oid.copy(this.#bytes, this.count * 20, 0, 20)
    return this.count++
  }
}
