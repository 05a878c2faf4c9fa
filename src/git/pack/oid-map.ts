import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'

/**
 * Keys of the hash, new for each process: a tree may name any 20 bytes it likes, so with a known hash a pusher could
 * put a million names into one slot. Multilinear hashing over 16-bit pieces is strongly universal in the upper 17 bits
 * of each sum (Lemire and Kaser, "Strongly universal string hashing is fast", 2014); two sums give 34.
 */
const HASH_KEYS = new Int32Array(new Uint8Array(randomBytes(80)).buffer)

/**
 * A map from object names to small numbers without an allocation per entry: open addressing over one Buffer,
 * at a load of at most a half, so 48 to 96 bytes an entry.
 */
export class OidMap {
  #capacity: number
  #keys: Buffer
  #values: Int32Array
  #size = 0

  constructor(expected = 1024) {
    this.#capacity = 2 ** Math.ceil(Math.log2(Math.max(16, expected * 2)))
    this.#keys = Buffer.alloc(this.#capacity * 20)
    this.#values = new Int32Array(this.#capacity).fill(-1)
  }

  /** As a set: each of the names has 1. */
  static of(oids: readonly Buffer[]): OidMap {
    const map = new OidMap(oids.length)
    for (const oid of oids) map.set(oid, 0, 1)
    return map
  }

  get size(): number {
    return this.#size
  }

  /** @returns the value at `oid`, or -1 */
  get(bytes: Buffer, at = 0): number {
    return this.#values[this.#slot(bytes, at)] as number
  }

  /** @param value not negative */
  set(bytes: Buffer, at: number, value: number): void {
    assert(value >= 0)
    let slot = this.#slot(bytes, at)
    if (this.#values[slot] === -1) {
      if (this.#size * 2 >= this.#capacity) {
        this.#grow()
        slot = this.#slot(bytes, at)
      }
      for (let i = 0; i < 20; i++) this.#keys[slot * 20 + i] = bytes[at + i] as number
      this.#size++
    }
    this.#values[slot] = value
  }

  /** @param visit gets the key as (buffer, offset), valid only during the call, and its value */
  forEach(visit: (bytes: Buffer, at: number, value: number) => void): void {
    for (let slot = 0; slot < this.#capacity; slot++) {
      const value = this.#values[slot] as number
      if (value !== -1) visit(this.#keys, slot * 20, value)
    }
  }

  #slot(bytes: Buffer, at: number): number {
    const mask = this.#capacity - 1
    let slot = hashOid(bytes, at) & mask
    while (this.#values[slot] !== -1 && !isSameOid(this.#keys, slot * 20, bytes, at)) slot = (slot + 1) & mask
    return slot
  }

  #grow(): void {
    const bigger = new OidMap(this.#capacity)
    this.forEach((bytes, at, value) => bigger.set(bytes, at, value))
    this.#capacity = bigger.#capacity
    this.#keys = bigger.#keys
    this.#values = bigger.#values
  }
}

/** A call of `compare` costs several times this loop. */
export function isSameOid(keys: Buffer, keyAt: number, bytes: Buffer, at: number): boolean {
  for (let i = 0; i < 20; i++) if (keys[keyAt + i] !== bytes[at + i]) return false
  return true
}

/** 34 bits that nobody outside can foresee. */
export function hashOid(bytes: Buffer, at: number): number {
  let high = 0
  let low = 0
  for (let piece = 0; piece < 10; piece++) {
    const word = ((bytes[at + 2 * piece] as number) << 8) | (bytes[at + 2 * piece + 1] as number)
    high = (high + Math.imul(word, HASH_KEYS[piece] as number)) | 0
    low = (low + Math.imul(word, HASH_KEYS[10 + piece] as number)) | 0
  }
  return ((high >>> 15) << 15) ^ (low >>> 15)
}
