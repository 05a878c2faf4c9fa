/** A second matcher of wildcard patterns, written after C git's wildmatch.c: it tries what a star may stand for. */

const CLASSES: Readonly<Record<string, RegExp>> = {
  alnum: /[0-9A-Za-z]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  cntrl: /(?![\u0080-\u009f])\p{Cc}/u,
  digit: /[0-9]/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[ \t\n\r]/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
}

/** Both without NUL, a character for each byte. @param isPath stars and classes keep to one part of a path */
export function matchesNaively(pattern: string, text: string, isPath: boolean): boolean {
  const known = new Map<string, boolean>()
  const match = (at: number, from: number): boolean => {
    const key = `${at} ${from}`
    const before = known.get(key)
    if (before !== undefined) return before
    const found = matchOnce(at, from)
    known.set(key, found)
    return found
  }
  const matchOnce = (at: number, from: number): boolean => {
    const char = pattern[at]
    if (char === undefined) return from === text.length
    if (char === '*') return matchStar(at, from)
    const one = text[from]
    if (one === undefined) return false
    if (char === '?') return !(isPath && one === '/') && match(at + 1, from + 1)
    if (char === '\\') return pattern[at + 1] === one && match(at + 2, from + 1)
    if (char !== '[') return char === one && match(at + 1, from + 1)
    const end = classEnd(pattern, at, one)
    return end !== undefined && !(isPath && one === '/') && match(end, from + 1)
  }
  const matchStar = (at: number, from: number): boolean => {
    const stars = /\**/.exec(pattern.slice(at))?.[0].length ?? 1
    const rest = pattern.slice(at + stars)
    const isAlone = (at === 0 || pattern[at - 1] === '/') && (rest === '' || /^\\?\//.test(rest))
    const overSlashes = !isPath || (stars > 1 && isAlone)
    if (isPath && overSlashes && rest.startsWith('/') && match(at + stars + 1, from)) return true
    for (let to = from; to <= text.length; to++) {
      if (match(at + stars, to)) return true
      if (!overSlashes && text[to] === '/') return false
    }
    return false
  }
  return match(0, 0)
}

/** @returns where the pattern goes on after its class; undefined: the character is not in it, or it is no class */
function classEnd(pattern: string, start: number, one: string): number | undefined {
  let at = start + 1
  const isNegated = pattern[at] === '!' || pattern[at] === '^'
  if (isNegated) at++
  let isIn = false
  let previous: string | undefined
  do {
    const char = pattern[at]
    const name = /^\[:([^\]]*):\]/.exec(pattern.slice(at))
    if (char === undefined) return undefined
    if (char === '\\') {
      previous = pattern[++at]
      if (previous === undefined) return undefined
      isIn ||= one === previous
    } else if (char === '-' && previous !== undefined && ![undefined, ']'].includes(pattern[at + 1])) {
      const last = pattern[++at] === '\\' ? pattern[++at] : pattern[at]
      if (last === undefined) return undefined
      isIn ||= previous <= one && one <= last
      previous = undefined
    } else if (name !== null) {
      const named = Object.hasOwn(CLASSES, name[1] ?? '') ? CLASSES[name[1] ?? ''] : undefined
      if (named === undefined) return undefined
      isIn ||= named.test(one)
      at += name[0].length - 1
      previous = undefined
    } else {
      // A name that does not end keeps the class from ending, too.
      if (char === '[' && pattern[at + 1] === ':' && !pattern.includes(']', at + 2)) return undefined
      isIn ||= one === char
      previous = char
    }
    at++
  } while (pattern[at] !== ']')
  return isIn === isNegated ? undefined : at + 1
}
