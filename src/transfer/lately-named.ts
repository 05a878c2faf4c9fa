const NAMES = 2 ** 13

/**
 * Names with types that came by lately, a fixed number of them: small enough to stay near the processor, where a table of
 * all names is not.
 */
export class LatelyNamed {
  /** By the first bits of a name. */
  readonly #oids = Buffer.alloc(NAMES * 20)
  readonly #types = new Uint8Array(NAMES)

  /**
   * @param type not 0
   * @returns whether this name came by with this type; if not, it has now
   */
  add(bytes: Buffer, at: number, type: number): boolean {
    const oids = this.#oids
    const place = ((bytes[at] as number) | ((bytes[at + 1] as number) << 8)) & (NAMES - 1)
    const start = place * 20
    let same = this.#types[place] === type
    for (let i = 0; same && i < 20; i++) same = oids[start + i] === bytes[at + i]
    if (same) return true
    for (let i = 0; i < 20; i++) oids[start + i] = bytes[at + i] as number
    this.#types[place] = type
    return false
  }
}
