/** Patterns of file names as git has them (wildmatch.c), in time that no pattern can make explode. */

/** A byte that the token lets through, or any number of them. */
type Token =
  | { readonly kind: 'set'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'star'
      /** It goes over slashes. */
      readonly overSlashes: boolean
      /** It may stand for nothing, and the slash after it too. */
      readonly maySkipSlash: boolean
    }

const SLASH = 0x2f
const BACKSLASH = 0x5c
const STAR = 0x2a
const QUESTION = 0x3f
const OPEN = 0x5b
const CLOSE = 0x5d
const DASH = 0x2d
const COLON = 0x3a

export class Wildmatch {
  readonly #tokens: readonly Token[]
  #states: Uint8Array
  #next: Uint8Array

  /** @param isPath slashes are for slashes only, and for two stars between slashes (WM_PATHNAME) */
  constructor(pattern: Buffer, isPath: boolean) {
    this.#tokens = new Parser(pattern, isPath).parse()
    this.#states = new Uint8Array(this.#tokens.length + 1)
    this.#next = new Uint8Array(this.#tokens.length + 1)
  }

  /** What a match costs for each byte of the text. */
  get steps(): number {
    return this.#tokens.length + 1
  }

  /** All states that the pattern can be in are followed at once, so no choice is ever taken back. */
  matches(text: Buffer, start = 0): boolean {
    this.#states.fill(0)
    this.#enter(this.#states, 0)
    for (let at = start; at < text.length; at++) {
      this.#next.fill(0)
      if (!this.#step(text[at] as number)) return false
      ;[this.#states, this.#next] = [this.#next, this.#states]
    }
    return this.#states[this.#tokens.length] === 1
  }

  /** @returns whether any state is left */
  #step(byte: number): boolean {
    let isAlive = false
    for (const [state, token] of this.#tokens.entries()) {
      if (this.#states[state] === 0) continue
      const takes = token.kind === 'star' ? token.overSlashes || byte !== SLASH : token.bytes[byte] === 1
      if (!takes) continue
      if (token.kind === 'star') this.#next[state] = 1
      this.#enter(this.#next, state + 1)
      isAlive = true
    }
    return isAlive
  }

  /**
   * A star may stand for nothing: what follows it is entered with it; only then may the slash after it be left out. Ends at
   * what was entered before, with all that follows from it, so that a step costs no more than there are tokens.
   */
  #enter(states: Uint8Array, first: number): void {
    for (let state = first; states[state] === 0;) {
      states[state] = 1
      const token = this.#tokens[state]
      if (token?.kind !== 'star') return
      state++
      if (!token.maySkipSlash) continue
      states[state] = 1
      state++
    }
  }
}

class Parser {
  readonly #pattern: Buffer
  readonly #isPath: boolean
  #at = 0

  constructor(pattern: Buffer, isPath: boolean) {
    this.#pattern = pattern
    this.#isPath = isPath
  }

  parse(): Token[] {
    const tokens: Token[] = []
    while (this.#at < this.#pattern.length) tokens.push(this.#token())
    return tokens
  }

  #token(): Token {
    const byte = this.#pattern[this.#at++] as number
    if (byte === STAR) return this.#star()
    if (byte === QUESTION) return this.#set(() => true)
    if (byte === OPEN) return this.#class()
    if (byte !== BACKSLASH) return { kind: 'set', bytes: single(byte) }
    // At the end of a pattern it matches nothing.
    const escaped = this.#pattern[this.#at++]
    return { kind: 'set', bytes: escaped === undefined ? new Uint8Array(256) : single(escaped) }
  }

  #star(): Token {
    const before = this.#pattern[this.#at - 2]
    const first = this.#at
    while (this.#pattern[this.#at] === STAR) this.#at++
    if (!this.#isPath) return { kind: 'star', overSlashes: true, maySkipSlash: false }
    const [next, afterNext] = [this.#pattern[this.#at], this.#pattern[this.#at + 1]]
    const isSlashNext = next === SLASH
    const isAlone =
      (before === undefined || before === SLASH) &&
      (next === undefined || isSlashNext || (next === BACKSLASH && afterNext === SLASH))
    const overSlashes = this.#at > first && isAlone
    return { kind: 'star', overSlashes, maySkipSlash: overSlashes && isSlashNext }
  }

  /** @returns what matches nothing, where the class has no end or a name that there is not */
  #class(): Token {
    const nothing: Token = { kind: 'set', bytes: new Uint8Array(256) }
    const given = new Uint8Array(256)
    let byte = this.#pattern[this.#at]
    const isNegated = byte === 0x21 || byte === 0x5e
    if (isNegated) byte = this.#pattern[++this.#at]
    let previous = 0
    do {
      if (byte === undefined) return this.#end(nothing)
      const [next, afterNext] = [this.#pattern[this.#at + 1], this.#pattern[this.#at + 2]]
      if (byte === BACKSLASH) {
        byte = this.#pattern[++this.#at]
        if (byte === undefined) return this.#end(nothing)
        given[byte] = 1
      } else if (byte === DASH && previous !== 0 && next !== undefined && next !== CLOSE) {
        this.#at += next === BACKSLASH ? 2 : 1
        const last = next === BACKSLASH ? afterNext : next
        if (last === undefined) return this.#end(nothing)
        given.fill(1, previous, Math.max(previous, last + 1))
        byte = 0
      } else if (byte === OPEN && next === COLON) {
        const close = this.#pattern.indexOf(CLOSE, this.#at + 2)
        if (close < 0) return this.#end(nothing)
        if (close - 1 > this.#at + 1 && this.#pattern[close - 1] === COLON) {
          const named = CLASSES[this.#pattern.toString('latin1', this.#at + 2, close - 1)]
          if (named === undefined) return this.#end(nothing)
          for (let one = 0; one < 128; one++) if (named(one)) given[one] = 1
          this.#at = close
          byte = 0
        } else given[byte] = 1
      } else given[byte] = 1
      previous = byte
      byte = this.#pattern[++this.#at]
    } while (byte !== CLOSE)
    this.#at++
    return this.#set((one) => (given[one] === 1) !== isNegated)
  }

  /** Nothing that follows can be reached. */
  #end(token: Token): Token {
    this.#at = this.#pattern.length
    return token
  }

  #set(has: (byte: number) => boolean): Token {
    const bytes = Uint8Array.from({ length: 256 }, (_, byte) => (has(byte) ? 1 : 0))
    if (this.#isPath) bytes[SLASH] = 0
    return { kind: 'set', bytes }
  }
}

const SINGLES: Uint8Array[] = []

/** One for all tokens of the same byte: a pattern may be long. */
function single(byte: number): Uint8Array {
  const known = SINGLES[byte]
  if (known !== undefined) return known
  const bytes = new Uint8Array(256)
  bytes[byte] = 1
  return (SINGLES[byte] = bytes)
}

const isBetween = (byte: number, first: number, last: number): boolean => byte >= first && byte <= last
const isDigit = (byte: number): boolean => isBetween(byte, 0x30, 0x39)
const isUpper = (byte: number): boolean => isBetween(byte, 0x41, 0x5a)
const isLower = (byte: number): boolean => isBetween(byte, 0x61, 0x7a)
const isAlpha = (byte: number): boolean => isUpper(byte) || isLower(byte)
const isGraph = (byte: number): boolean => isBetween(byte, 0x21, 0x7e)

/** In ASCII, as git's own tests of characters have them (git-compat-util.h). */
const CLASSES: Readonly<Record<string, ((byte: number) => boolean) | undefined>> = {
  __proto__: null as never,
  alnum: (byte) => isAlpha(byte) || isDigit(byte),
  alpha: isAlpha,
  blank: (byte) => byte === 0x20 || byte === 0x09,
  cntrl: (byte) => byte < 0x20 || byte === 0x7f,
  digit: isDigit,
  graph: isGraph,
  lower: isLower,
  print: (byte) => isGraph(byte) || byte === 0x20,
  punct: (byte) => isGraph(byte) && !isAlpha(byte) && !isDigit(byte),
  space: (byte) => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d,
  upper: isUpper,
  xdigit: (byte) => isDigit(byte) || isBetween(byte | 0x20, 0x61, 0x66),
}
