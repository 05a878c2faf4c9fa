import assert from 'node:assert/strict'
import type { EntryTable } from './entry-table.ts'
import { OidMap } from './oid-map.ts'

const INITIAL_LISTS = 16

/**
 * Deltas that name their base (ref-delta), by that name, until the base comes by. A pusher may send millions of them,
 * each with another name: a list is a number in an array, linked through the entry table, and not an object.
 */
export class WaitingDeltas {
  readonly #entries: EntryTable
  /** Base → number of its list, which is kept when the list is taken. */
  readonly #lists = new OidMap(INITIAL_LISTS)
  /** By number: the last delta that came, -1 once the list was taken. */
  #heads = new Int32Array(INITIAL_LISTS)
  #count = 0
  #waiting = 0

  constructor(entries: EntryTable) {
    this.#entries = entries
  }

  /** Bases that have not come by. */
  get size(): number {
    return this.#waiting
  }

  add(bytes: Buffer, at: number, entry: number): void {
    let list = this.#lists.get(bytes, at)
    if (list === -1) {
      list = this.#count++
      if (list === this.#heads.length) {
        const heads = new Int32Array(list * 2)
        heads.set(this.#heads)
        this.#heads = heads
      }
      this.#heads[list] = -1
      this.#lists.set(bytes, at, list)
    }
    const head = this.#heads[list] as number
    if (head === -1) this.#waiting++
    // A delta by name hangs on no base by offset, so its link is free.
    this.#entries.nextSibling[entry] = head
    this.#heads[list] = entry
  }

  /** Whether deltas wait for this base. */
  has(bytes: Buffer, at: number): boolean {
    if (this.#waiting === 0) return false
    const list = this.#lists.get(bytes, at)
    return list !== -1 && this.#heads[list] !== -1
  }

  /** @param visit each delta on this base; they wait no longer */
  take(bytes: Buffer, at: number, visit: (entry: number) => void): void {
    if (!this.has(bytes, at)) return
    const list = this.#lists.get(bytes, at)
    const head = this.#heads[list] as number
    this.#heads[list] = -1
    this.#waiting--
    for (let entry = head; entry !== -1; entry = this.#entries.nextSibling[entry] as number) visit(entry)
  }

  /**
   * As C git does, in the order in which deltas first named them: a delta may make the base of a later one, which then need
   * not come from elsewhere, and must not, as the pack would hold it twice.
   *
   * @param visit each base that has not come by; taking lists meanwhile is fine, adding to them is not
   */
  forEachBase(visit: (bytes: Buffer, at: number) => void): void {
    const places = new Float64Array(this.#count)
    let keys: Buffer = Buffer.alloc(0)
    this.#lists.forEach((bytes, at, list) => {
      keys = bytes
      places[list] = at
    })
    for (const [list, at] of places.entries()) if (this.#heads[list] !== -1) visit(keys, at)
  }

  /** @returns the name of one base that has not come by, in hex */
  anyBase(): string {
    let name: string | undefined
    this.forEachBase((bytes, at) => {
      name ??= bytes.toString('hex', at, at + 20)
    })
    assert(name !== undefined, 'a delta waits')
    return name
  }
}
