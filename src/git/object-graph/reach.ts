import { OidMap } from '../pack/oid-map.ts'
import { type ObjectReader, Peeler, readCommit } from './object-reader.ts'

/**
 * Whether every wanted commit reaches one of `common`, so that a receiver that has those need not say what else it has
 * (ok_to_give_up in C git's upload-pack.c). Looks at no commit that is older than all of `common`: where clocks were
 * wrong the answer may be no, and the negotiation goes on.
 *
 * One walk for all wants together, then back from what is common: what it costs depends on the history, not on how
 * many objects a client cares to name.
 */
export function everyWantReaches(reader: ObjectReader, wants: readonly Buffer[], common: readonly Buffer[]): boolean {
  const haves = new OidMap(common.length)
  const peeler = new Peeler(reader)
  let oldestS = Number.POSITIVE_INFINITY
  for (const oid of common) {
    const commit = peeler.commitOf(oid)
    if (commit === undefined) continue
    haves.set(commit, 0, 1)
    oldestS = Math.min(oldestS, readCommit(reader, commit).committerTimeS)
  }
  if (haves.size === 0) return false
  const walk = new Walk(reader, haves, oldestS)
  // What is no commit is sent whatever is in common.
  const wanted = wants.map((want) => peeler.commitOf(want)).filter((commit) => commit !== undefined)
  const numbers = wanted.map((commit) => walk.visit(commit, -1))
  walk.run()
  return numbers.every((number) => walk.reached.has(number))
}

class Walk {
  readonly reached = new Set<number>()
  readonly #reader: ObjectReader
  readonly #haves: OidMap
  readonly #oldestS: number
  readonly #numbers = new OidMap()
  /** By number: the commits that have this one as a parent. */
  readonly #children: number[][] = []
  readonly #stack: { readonly oid: Buffer; readonly number: number }[] = []
  readonly #roots: number[] = []

  constructor(reader: ObjectReader, haves: OidMap, oldestS: number) {
    this.#reader = reader
    this.#haves = haves
    this.#oldestS = oldestS
  }

  /** @param child -1: nobody's parent. @returns the commit's number */
  visit(oid: Buffer, child: number): number {
    let number = this.#numbers.get(oid)
    if (number === -1) {
      number = this.#children.push([]) - 1
      this.#numbers.set(oid, 0, number)
      if (this.#haves.get(oid) === 1) this.#roots.push(number)
      else this.#stack.push({ oid, number })
    }
    if (child >= 0) this.#children[number]?.push(child)
    return number
  }

  run(): void {
    for (let next = this.#stack.pop(); next !== undefined; next = this.#stack.pop()) {
      const { parents, committerTimeS } = readCommit(this.#reader, next.oid)
      if (committerTimeS < this.#oldestS) continue
      for (const parent of parents) this.visit(parent, next.number)
    }
    for (let number = this.#roots.pop(); number !== undefined; number = this.#roots.pop()) {
      if (this.reached.has(number)) continue
      this.reached.add(number)
      for (const child of this.#children[number] ?? []) this.#roots.push(child)
    }
  }
}
