/** Lines of the headers that commits and tags begin with; both end them with an empty line. */

const LF = 0x0a

/** A cursor over header lines, which never looks beyond the bytes it was given. */
export class HeaderLines {
  readonly #data: Buffer
  #at = 0

  constructor(data: Buffer) {
    this.#data = data
  }

  /** The rest of the next line if it begins with `key` and a space, which is then consumed; else undefined. */
  take(key: string): string | undefined {
    const start = this.#at
    const valueAt = start + key.length + 1
    if (this.#data.toString('latin1', start, valueAt) !== `${key} `) return undefined
    const end = this.#data.indexOf(LF, valueAt)
    if (end < 0) return undefined
    this.#at = end + 1
    return this.#data.toString('utf8', valueAt, end)
  }

  /** Where the body begins: after the first empty line from here, or at the end. */
  bodyAt(): number {
    if (this.#data[this.#at] === LF) return this.#at + 1
    const end = this.#data.indexOf('\n\n', this.#at, 'latin1')
    return end < 0 ? this.#data.length : end + 2
  }
}
