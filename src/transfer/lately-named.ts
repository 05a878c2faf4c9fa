const NAMES_MAX = 2 ** 13
/** Each version of a tree names nearly all that is in its folders, also where it is the only one in a pack. */
const NAMES_OF_OBJECT = 16

/**
 * Names with types that came by lately, a fixed number of them: small enough to stay near the processor, where a table of
 * all names is not.
 */
export class LatelyNamed {
  /** By the first bits of a name. */
  readonly #oids: Buffer
  readonly #types: Uint8Array

  /** @param objects that may name others */
  constructor(objects: number) {
    const names = 2 ** Math.ceil(Math.log2(Math.min(Math.max(1, objects) * NAMES_OF_OBJECT, NAMES_MAX)))
    this.#oids = Buffer.alloc(names * 20)
    this.#types = new Uint8Array(names)
  }

  /**
   * @param type not 0
   * @returns whether this name came by with this type; if not, it has now
   */
  add(bytes: Buffer, at: number, type: number): boolean {
    const oids = this.#oids
    const place = ((bytes[at] as number) | ((bytes[at + 1] as number) << 8)) & (this.#types.length - 1)
    const start = place * 20
    let same = this.#types[place] === type
    for (let i = 0; same && i < 20; i++) same = oids[start + i] === bytes[at + i]
    if (same) return true
    for (let i = 0; i < 20; i++) oids[start + i] = bytes[at + i] as number
    this.#types[place] = type
    return false
  }
}
