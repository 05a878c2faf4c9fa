import { BitSet } from '../../git/bitmap/bit-set.ts'
import { forEachLink } from '../../git/fsck/links.ts'
import { ObjectError } from '../../git/object/error.ts'
import { OBJECT_TYPE } from '../../git/object/type.ts'
import { OidTable } from '../../git/pack/oid-table.ts'
import type { ObjectStore } from '../../storage/objects/object-store.ts'

/** In the place of a time: seen for the first time, so nobody knows for how long nothing reaches it. */
export const JUST_SEEN = Number.POSITIVE_INFINITY

/**
 * Objects that no ref reaches. Which of them stay: those that are recent, and all that these need, however old that is.
 * So whatever is here has its own closure here, on which a push that names it counts (I2).
 */
export class Unreached {
  readonly #store: ObjectStore
  readonly #isReached: (oid: Buffer, at: number) => boolean
  /** Those first; behind them, what was only walked through. */
  readonly #names = new OidTable(64)
  readonly #timesS: number[] = []
  readonly #kept = new BitSet(0)
  readonly #open: number[] = []

  constructor(store: ObjectStore, isReached: (oid: Buffer, at: number) => boolean) {
    this.#store = store
    this.#isReached = isReached
  }

  get count(): number {
    return this.#timesS.length
  }

  /** Before the first `keep`. Of one that lies in several packs the latest time is true. */
  add(oid: Buffer, at: number, timeS: number): void {
    const number = this.#names.add(oid, at)
    this.#timesS[number] = Math.max(timeS, this.#timesS[number] ?? 0)
  }

  /** @param timeS the time of one that is still recent */
  keepSince(timeS: number): void {
    for (let number = 0; number < this.count; number++) {
      if ((this.#timesS[number] as number) >= timeS) this.#mark(number)
    }
    this.#walk()
  }

  /** Whatever it is, and where it lies: it stays with what it needs. */
  keep(oid: Buffer, at = 0): void {
    this.#need(oid, at)
    this.#walk()
  }

  /** @returns undefined: it is none of them, or it is to go; seconds since 1970, or JUST_SEEN */
  keptSince(oid: Buffer, at = 0): number | undefined {
    const number = this.#names.find(oid, at)
    return number >= 0 && this.#kept.has(number) ? this.#timesS[number] : undefined
  }

  #need(oid: Buffer, at: number): void {
    if (!this.#isReached(oid, at)) this.#mark(this.#names.add(oid, at))
  }

  #mark(number: number): void {
    if (this.#kept.has(number)) return
    this.#kept.add(number)
    this.#open.push(number)
  }

  #walk(): void {
    for (let number = this.#open.pop(); number !== undefined; number = this.#open.pop()) {
      const oid = Buffer.from(this.#names.oids.subarray(number * 20, number * 20 + 20))
      const type = this.#store.typeOf(oid)
      // An operator's git may have taken away a part of what no ref reaches: nothing more can be lost of it.
      if (type === undefined || type === OBJECT_TYPE.blob) continue
      try {
        forEachLink(type, this.#store.mustRead(oid).data, (oids, oidAt) => this.#need(oids, oidAt))
      } catch (error) {
        // Nor could it be pushed; it names nothing that anybody could follow.
        if (!(error instanceof ObjectError)) throw error
      }
    }
  }
}
