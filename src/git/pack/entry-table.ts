import { OidTable } from './oid-table.ts'

/** Where nobody knows how many will come. */
const ENTRIES_EXPECTED = 1024

/**
 * What indexing knows of each entry, in typed arrays: 33 bytes an entry, and about 40 for its name. Of room that is not
 * used yet the system has given addresses and no memory.
 */
export class EntryTable {
  count = 0
  /** Of them, those whose object has its name. */
  named = 0
  offsets: Float64Array
  crcs: Uint32Array
  /** As in the entry: 1–4, 6, 7. */
  entryTypes: Uint8Array
  /** 1–4 once the object's name is known, else 0. */
  types: Uint8Array
  /** How many deltas lie below an object that was named while the pack was read. */
  depths: Uint16Array
  headerBytes: Uint8Array
  /** Inflated bytes of the entry itself, which has no more than 2^31 (max_object_size). */
  sizes: Uint32Array
  /** The deltas on an entry, as a linked list: first of them, next of the same base; -1 ends it. */
  firstChild: Int32Array
  nextSibling: Int32Array
  /** The number of the object's name; -1 before it is known. */
  names: Int32Array
  /** Names of objects, and what others put there beside them. */
  readonly nameTable: OidTable
  /** By number of a name: the entry of this name plus one; 0: there is none. */
  #entryOfName: Int32Array

  /** @param expected entries; more may come */
  constructor(expected = ENTRIES_EXPECTED) {
    this.offsets = new Float64Array(expected)
    this.crcs = new Uint32Array(expected)
    this.entryTypes = new Uint8Array(expected)
    this.types = new Uint8Array(expected)
    this.depths = new Uint16Array(expected)
    this.headerBytes = new Uint8Array(expected)
    this.sizes = new Uint32Array(expected)
    this.firstChild = new Int32Array(expected)
    this.nextSibling = new Int32Array(expected)
    this.names = new Int32Array(expected)
    this.#entryOfName = new Int32Array(expected)
    this.nameTable = new OidTable(expected)
  }

  /** All names, 20 bytes each by their number; another buffer once there are many more. */
  get oids(): Buffer {
    return this.nameTable.oids
  }

  /** @returns the new entry's number */
  add(offset: number, entryType: number, headerBytes: number, sizeBytes: number): number {
    const entry = this.count++
    if (entry === this.offsets.length) this.#grow()
    this.offsets[entry] = offset
    this.entryTypes[entry] = entryType
    this.headerBytes[entry] = headerBytes
    this.sizes[entry] = sizeBytes
    this.firstChild[entry] = -1
    this.nextSibling[entry] = -1
    this.names[entry] = -1
    return entry
  }

  /** The entry's object has this type and this name. @returns the name's number */
  name(entry: number, type: number, oid: Buffer): number {
    const name = this.nameTable.add(oid)
    if (name >= this.#entryOfName.length) {
      this.#entryOfName = grown(this.#entryOfName, new Int32Array(Math.ceil(name * 1.5)))
    }
    this.#entryOfName[name] = entry + 1
    this.names[entry] = name
    this.types[entry] = type
    this.named++
    return name
  }

  /** @returns the entry whose object has this name, or -1 */
  find(oid: Buffer, at = 0): number {
    const name = this.nameTable.find(oid, at)
    return name < 0 ? -1 : this.ofName(name)
  }

  /** @returns the entry whose object has the name of this number, or -1 */
  ofName(name: number): number {
    return (this.#entryOfName[name] ?? 0) - 1
  }

  addChild(base: number, child: number): void {
    this.nextSibling[child] = this.firstChild[base] as number
    this.firstChild[base] = child
  }

  /** @returns the entry that begins exactly at `offset`, or -1 */
  entryAt(offset: number): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      const found = this.offsets[middle] as number
      if (found === offset) return middle
      if (found < offset) low = middle + 1
      else high = middle
    }
    return -1
  }

  #grow(): void {
    const length = Math.ceil(this.count * 1.25)
    this.offsets = grown(this.offsets, new Float64Array(length))
    this.crcs = grown(this.crcs, new Uint32Array(length))
    this.entryTypes = grown(this.entryTypes, new Uint8Array(length))
    this.types = grown(this.types, new Uint8Array(length))
    this.depths = grown(this.depths, new Uint16Array(length))
    this.headerBytes = grown(this.headerBytes, new Uint8Array(length))
    this.sizes = grown(this.sizes, new Uint32Array(length))
    this.firstChild = grown(this.firstChild, new Int32Array(length))
    this.nextSibling = grown(this.nextSibling, new Int32Array(length))
    this.names = grown(this.names, new Int32Array(length))
  }
}

function grown<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from)
  return to
}
