/** Requests of git clients, from bytes that a fuzzer can change without breaking the lengths of lines. */
import { encodePktLine } from '../../src/git/pkt-line.ts'
import { withChecksum } from '../../integration/support/pack-maker.ts'

const SPECIAL = ['0000', '0001', '0002']
const LF = 0x0a
/** A limit that nothing here comes near. */
const ROOMY = 64
const NO_OID = '0'.repeat(40)

/**
 * Lines of text, each in a pkt-line of its own; `0000`, `0001` and `0002` stand for themselves, and `@` with any other
 * byte for an object id (`@0`: the one that means none). An empty line is the line before it once more. So a line is a
 * few bytes, and one more of them is a change of one byte.
 */
export function frameLines(text: Buffer, nameOf = nameOfLetter): Buffer {
  return Buffer.concat(linesOf(text).map((line) => frame(line, nameOf)))
}

/**
 * The commands of a push in lines up to the first `0000`, or the second where options come with them; what follows is a
 * pack whose checksum is put right.
 */
export function framePush(text: Buffer): Buffer {
  const { commands, rest } = splitPush(text)
  return rest === undefined ? frameLines(text) : Buffer.concat([frameLines(commands), withChecksum(rest)])
}

/** @returns `rest`: undefined where the commands do not end */
export function splitPush(text: Buffer): { readonly commands: Buffer; readonly rest: Buffer | undefined } {
  const first = text.indexOf('0000\n')
  const end = text.subarray(0, Math.max(0, first)).includes('push-options') ? text.indexOf('0000\n', first + 5) : first
  if (end < 0) return { commands: text, rest: undefined }
  return { commands: text.subarray(0, end + 4), rest: text.subarray(end + 5) }
}

/** As clients say them; a capability of no name is one of no value, too. */
export function writeCapabilities(capabilities: ReadonlyMap<string, string>): string {
  const words = Array.from(capabilities, ([name, value]) => (name !== '' && value === '' ? name : `${name}=${value}`))
  return words.join(' ')
}

/** A limit that matters is about as great as what it limits: one less, the same, one more, or (for 0) far from it. */
export function limitNear(body: Buffer, word: string, choice: number): number {
  const count = body.toString('latin1').split(word).length - 1
  return (choice & 3) === 0 ? ROOMY : Math.max(0, count - 2 + (choice & 3))
}

function frame(line: Buffer, nameOf: (letter: string) => string): Buffer {
  const text = line.toString('latin1')
  return SPECIAL.includes(text) ? line : encodePktLine(expandNames(line, nameOf))
}

/** `@` and a byte: the name that it stands for. */
export function expandNames(text: Buffer, nameOf = nameOfLetter): Buffer {
  const expand = (_token: string, byte: string): string => (byte === '@' ? '@' : nameOf(byte))
  return Buffer.from(text.toString('latin1').replaceAll(/@(.)/gs, expand), 'latin1')
}

/** 40 hex digits. */
export function nameOfLetter(letter: string): string {
  return letter === '0' ? NO_OID : Buffer.alloc(20, letter, 'latin1').toString('hex')
}

/** The other way round, for seeds. @param known 40 hex digits → letter: others stay as they are; else each gets one */
export function abbreviate(text: string, known?: ReadonlyMap<string, string>): string {
  const letters = new Map([[NO_OID, '0'], ...(known ?? [])])
  return text.replaceAll('@', '@@').replaceAll(/[0-9a-f]{40}/g, (oid) => {
    if (known !== undefined && !letters.has(oid)) return oid
    const letter = letters.get(oid) ?? String.fromCharCode(0x60 + letters.size)
    letters.set(oid, letter)
    return `@${letter}`
  })
}

function linesOf(text: Buffer): Buffer[] {
  const lines: Buffer[] = []
  for (let at = 0; at < text.length;) {
    const end = text.indexOf(LF, at)
    const stop = end < 0 ? text.length : end
    const line = text.subarray(at, stop)
    lines.push(line.length === 0 ? (lines.at(-1) ?? line) : line)
    at = stop + 1
  }
  return lines
}
