/** The syntax of git's configuration files, read as git reads a `.gitmodules` ("config.c", git_parse_source). */

const LF = 0x0a
const CR = 0x0d
const TAB = 0x09
const BACKSPACE = 0x08
const SPACE = 0x20
const QUOTE = 0x22
const HASH = 0x23
const DASH = 0x2d
const DOT = 0x2e
const EQUALS = 0x3d
const SEMICOLON = 0x3b
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d

const BYTE_ORDER_MARK = Buffer.from('\ufeff')

export interface ConfigVisitor {
  /** @param name the section with its subsection, as `submodule.a` for `[submodule "a"]`, in Latin-1 */
  onSection(name: string): void
  /** @param value in Latin-1; undefined for a key without "=" */
  onValue(key: string, value: string | undefined): void
}

/**
 * Where C's `char` has a sign (x86), git takes the byte 0xff for the end of the file in some places and for a letter in
 * others, and knows no mark of byte order; where it has none (arm), both are as meant.
 */
export type CharSign = 'signed' | 'unsigned'

/** @returns false where git stops with an error; what was visited until then stands, as with git */
export function parseConfig(data: Buffer, charSign: CharSign, visitor: ConfigVisitor): boolean {
  return new ConfigParser(data, charSign, visitor).parse()
}

class ConfigParser {
  readonly #data: Buffer
  readonly #visitor: ConfigVisitor
  /** The byte that reads as the end of the file; none if negative. */
  readonly #endByte: number
  readonly #text = new ByteText()
  #at = 0
  #isAtEnd = false

  constructor(data: Buffer, charSign: CharSign, visitor: ConfigVisitor) {
    this.#data = data
    this.#visitor = visitor
    this.#endByte = charSign === 'signed' ? 0xff : -1
    if (charSign === 'unsigned' && data.subarray(0, 3).equals(BYTE_ORDER_MARK)) this.#at = 3
  }

  parse(): boolean {
    for (;;) {
      let byte = this.#next()
      if (byte === HASH || byte === SEMICOLON) byte = this.#skipComment()
      if (byte === LF && this.#isAtEnd) return true
      if (isSpace(byte)) continue
      if (byte === OPEN_BRACKET) {
        if (!this.#section()) return false
      } else if (!isLetter(byte) || !this.#keyAndValue(byte)) return false
    }
  }

  /** The next byte; CR LF is one line feed, and so is the end. */
  #next(): number {
    const byte = this.#data[this.#at]
    if (byte === undefined) {
      this.#isAtEnd = true
      return LF
    }
    this.#at++
    if (byte === this.#endByte) {
      this.#isAtEnd = true
      return LF
    }
    if (byte !== CR) return byte
    const after = this.#data[this.#at]
    if (after !== LF && after !== this.#endByte) return CR
    this.#at++
    return after === LF ? LF : CR
  }

  #skipComment(): number {
    let byte = this.#next()
    while (byte !== LF) byte = this.#next()
    return byte
  }

  #section(): boolean {
    this.#text.clear()
    for (;;) {
      const byte = this.#next()
      if (this.#isAtEnd) return false
      if (byte === CLOSE_BRACKET) break
      if (isSpace(byte)) {
        if (!this.#subsection(byte)) return false
        break
      }
      if (!isKeyByte(byte) && byte !== DOT) return false
      this.#text.push(lower(byte))
    }
    if (this.#text.length === 0) return false
    this.#visitor.onSection(this.#text.toString())
    return true
  }

  /** ` "NAME"]`, where a backslash stands for the byte after it. */
  #subsection(space: number): boolean {
    let byte = space
    while (isSpace(byte)) {
      if (byte === LF) return false
      byte = this.#next()
    }
    if (byte !== QUOTE) return false
    this.#text.push(DOT)
    for (;;) {
      byte = this.#next()
      if (byte === QUOTE) return this.#next() === CLOSE_BRACKET
      if (byte === LF) return false
      if (byte === BACKSLASH) {
        byte = this.#next()
        if (byte === LF) return false
      }
      this.#text.push(byte)
    }
  }

  #keyAndValue(first: number): boolean {
    this.#text.clear()
    this.#text.push(lower(first))
    let byte = this.#next()
    // Once the end was seen, also by mistake, each key is one letter.
    for (; !this.#isAtEnd && isKeyByte(byte); byte = this.#next()) this.#text.push(lower(byte))
    const key = this.#text.toString()
    while (byte === SPACE || byte === TAB) byte = this.#next()
    if (byte === LF) {
      this.#visitor.onValue(key, undefined)
      return true
    }
    if (byte !== EQUALS) return false
    const value = this.#value()
    if (value === undefined) return false
    this.#visitor.onValue(key, value)
    return true
  }

  #value(): string | undefined {
    this.#text.clear()
    let isQuoted = false
    let spaces = 0
    for (;;) {
      let byte = this.#next()
      if (byte === LF) return isQuoted ? undefined : this.#text.toString()
      if (!isQuoted && isSpace(byte)) {
        if (this.#text.length > 0) spaces++
        continue
      }
      if (!isQuoted && (byte === HASH || byte === SEMICOLON)) {
        this.#skipComment()
        return this.#text.toString()
      }
      // Space inside a value is kept, at its end it is not.
      for (; spaces > 0; spaces--) this.#text.push(SPACE)
      if (byte === QUOTE) {
        isQuoted = !isQuoted
        continue
      }
      if (byte === BACKSLASH) {
        const escaped = this.#next()
        if (escaped === LF) continue
        const meaning = unescaped(escaped)
        if (meaning === undefined) return undefined
        byte = meaning
      }
      this.#text.push(byte)
    }
  }
}

/** @returns what the byte after a backslash stands for; undefined where git knows no such escape */
function unescaped(byte: number): number | undefined {
  if (byte === BACKSLASH || byte === QUOTE) return byte
  if (byte === 0x74) return TAB
  if (byte === 0x6e) return LF
  return byte === 0x62 ? BACKSPACE : undefined
}

/** Bytes gathered one by one: a value may be megabytes long, and a string grown by letters costs 30 times that. */
class ByteText {
  #bytes = Buffer.alloc(256)
  length = 0

  clear(): void {
    this.length = 0
  }

  push(byte: number): void {
    if (this.length === this.#bytes.length) {
      const bigger = Buffer.alloc(this.length * 2)
      this.#bytes.copy(bigger)
      this.#bytes = bigger
    }
    this.#bytes[this.length++] = byte
  }

  toString(): string {
    return this.#bytes.toString('latin1', 0, this.length)
  }
}

function isSpace(byte: number): boolean {
  return byte === SPACE || byte === TAB || byte === LF || byte === CR
}

function isLetter(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a)
}

function isKeyByte(byte: number): boolean {
  return isLetter(byte) || (byte >= 0x30 && byte <= 0x39) || byte === DASH
}

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
}
