/**
 * Requests of a fetch from single bytes: each is a line that clients say, so that any bytes make a request that is
 * nearly right, and one more line is a change of one byte.
 */
import { DELIM, encodePktLine, FLUSH } from '../../src/git/pkt-line.ts'
import { Cursor } from './cursor.ts'

const WORDS = [
  'command=fetch',
  'command=ls-refs',
  'agent=git/2',
  'object-format=sha1',
  'server-option=x',
  'thin-pack',
  'no-progress',
  'include-tag',
  'ofs-delta',
  'wait-for-done',
  'peel',
  'symrefs',
  'unborn',
  'ref-prefix refs/heads/',
  'ref-prefix HEAD',
  'deepen 1',
  'deepen 2',
  'deepen-relative',
  'deepen-since 1600000000',
  'deepen-not side',
  'filter blob:none',
  'filter tree:1',
  'filter object:type=commit',
  'want-ref refs/heads/main',
  'sideband-all',
  'command=object-info',
  'size',
]
const CAPABILITIES = [
  'multi_ack',
  'multi_ack_detailed',
  'no-done',
  'side-band',
  'side-band-64k',
  'thin-pack',
  'ofs-delta',
  'agent=x',
]
const VERBATIM = 7

/** Number of an object → 40 hex digits. */
type NameOf = (choice: number) => string

/** By the lower three bits of a step; the upper five choose among 32 objects or words. */
const KINDS: readonly ((choice: number, nameOf: NameOf) => Buffer)[] = [
  (choice, nameOf) => encodePktLine(`want ${nameOf(choice)}\n`),
  (choice, nameOf) => encodePktLine(`have ${nameOf(choice)}\n`),
  () => FLUSH,
  () => encodePktLine('done\n'),
  () => DELIM,
  (choice) => encodePktLine(`${WORDS[choice % WORDS.length]}\n`),
]

export function runSteps(steps: Buffer, nameOf: NameOf = oidOf): Buffer {
  const input = new Cursor(steps)
  const lines: Buffer[] = []
  while (input.left > 0) {
    const step = input.byte()
    const kind = step & 7
    if (kind === VERBATIM) lines.push(encodePktLine(input.take(input.byte())))
    else lines.push(KINDS[kind]?.(step >> 3, nameOf) ?? firstWant(nameOf(step >> 3), input.byte()))
  }
  return Buffer.concat(lines)
}

/** The one that carries capabilities, one for each bit. */
function firstWant(oid: string, mask: number): Buffer {
  const capabilities = CAPABILITIES.filter((_, at) => (mask & (1 << at)) !== 0)
  return encodePktLine(`want ${oid} ${capabilities.join(' ')}\n`)
}

function oidOf(choice: number): string {
  return Buffer.alloc(20, choice + 1).toString('hex')
}

/** The other way round, for seeds: ids are numbered as they come, unknown lines stand there as they are. */
export function stepsOf(lines: readonly Buffer[], nameOf: NameOf = oidOf): Buffer {
  const known = new Map<string, number>()
  for (let step = 255; step >= 0; step--) {
    const line = KINDS[step & 7]?.(step >> 3, nameOf)
    if (line !== undefined) known.set(line.toString('latin1'), step)
  }
  const ids = new Map<string, string>()
  const isKnown = (oid: string): boolean => Array.from({ length: 32 }, (_, at) => nameOf(at)).includes(oid)
  const numbered = (oid: string): string => {
    if (isKnown(oid)) return oid
    const own = ids.get(oid) ?? nameOf(ids.size % 32)
    ids.set(oid, own)
    return own
  }
  return Buffer.concat(
    lines.map((line) => {
      const text = line.toString('latin1').replaceAll(/[0-9a-f]{40}/g, numbered)
      const step = known.get(text) ?? known.get(encodePktLine(`${text.slice(4)}\n`).toString('latin1'))
      if (step !== undefined) return Buffer.of(step)
      const content = Buffer.from(text.slice(4), 'latin1').subarray(0, 255)
      return Buffer.concat([Buffer.of(VERBATIM, content.length), content])
    }),
  )
}
