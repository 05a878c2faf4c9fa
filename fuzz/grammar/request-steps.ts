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

/** By the lower three bits of a step; the upper five choose among 32 objects or words. */
const KINDS: readonly ((choice: number) => Buffer)[] = [
  (choice) => encodePktLine(`want ${oidOf(choice)}\n`),
  (choice) => encodePktLine(`have ${oidOf(choice)}\n`),
  () => FLUSH,
  () => encodePktLine('done\n'),
  () => DELIM,
  (choice) => encodePktLine(`${WORDS[choice % WORDS.length]}\n`),
]

export function runSteps(steps: Buffer): Buffer {
  const input = new Cursor(steps)
  const lines: Buffer[] = []
  while (input.left > 0) {
    const step = input.byte()
    const kind = step & 7
    if (kind === VERBATIM) lines.push(encodePktLine(input.take(input.byte())))
    else lines.push(KINDS[kind]?.(step >> 3) ?? firstWant(step >> 3, input.byte()))
  }
  return Buffer.concat(lines)
}

/** The one that carries capabilities, one for each bit. */
function firstWant(choice: number, mask: number): Buffer {
  const capabilities = CAPABILITIES.filter((_, at) => (mask & (1 << at)) !== 0)
  return encodePktLine(`want ${oidOf(choice)} ${capabilities.join(' ')}\n`)
}

function oidOf(choice: number): string {
  return Buffer.alloc(20, choice + 1).toString('hex')
}

/** The other way round, for seeds: ids are numbered as they come, unknown lines stand there as they are. */
export function stepsOf(lines: readonly Buffer[]): Buffer {
  const known = new Map<string, number>()
  for (let step = 255; step >= 0; step--) {
    const line = KINDS[step & 7]?.(step >> 3)
    if (line !== undefined) known.set(line.toString('latin1'), step)
  }
  const ids = new Map<string, string>()
  const numbered = (oid: string): string => {
    const own = ids.get(oid) ?? oidOf(ids.size % 32)
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
