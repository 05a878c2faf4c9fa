import { hashOid, isSameOid } from './oid-map.ts'

/**
 * Object names, each once, numbered from 0 in the order in which they came: 20 bytes a name and 8 to 16 for finding it,
 * which is half of what an `OidMap` takes, and room for what others keep by number.
 */
export class OidTable {
  count = 0
  /** 20 bytes each, by number; another buffer once it has grown. */
  oids: Buffer
  /** Number plus one; 0: none. At most half of them are in use. */
  #slots: Int32Array

  /** @param expected names; more may come */
  constructor(expected: number) {
    this.oids = Buffer.alloc(expected * 20)
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(16, expected * 2))))
  }

  /** @returns the name's number, or -1 */
  find(bytes: Buffer, at = 0): number {
    return (this.#slots[this.#slot(bytes, at)] as number) - 1
  }

  /** @returns the number that the name has, or has now */
  add(bytes: Buffer, at = 0): number {
    const slot = this.#slot(bytes, at)
    const known = (this.#slots[slot] as number) - 1
    if (known >= 0) return known
    const number = this.count++
    if (this.count * 20 > this.oids.length) this.#grow()
    for (let i = 0; i < 20; i++) this.oids[number * 20 + i] = bytes[at + i] as number
    if (number * 2 >= this.#slots.length) this.#spread()
    else this.#slots[slot] = number + 1
    return number
  }

  #slot(bytes: Buffer, at: number): number {
    const mask = this.#slots.length - 1
    let slot = hashOid(bytes, at) & mask
    for (let found = this.#slots[slot] as number; found !== 0; found = this.#slots[slot] as number) {
      if (isSameOid(this.oids, (found - 1) * 20, bytes, at)) break
      slot = (slot + 1) & mask
    }
    return slot
  }

  #grow(): void {
    const oids = Buffer.alloc(Math.ceil(this.count * 1.25) * 20)
    this.oids.copy(oids)
    this.oids = oids
  }

  #spread(): void {
    this.#slots = new Int32Array(this.#slots.length * 2)
    for (let number = 0; number < this.count; number++) {
      this.#slots[this.#slot(this.oids, number * 20)] = number + 1
    }
  }
}
