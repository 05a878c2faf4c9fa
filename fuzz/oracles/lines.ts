/** Reads what we wrote, which must be whole. */
import assert from 'node:assert/strict'
import { decodePktLine, type PktLine } from '../../src/git/pkt-line.ts'

/** @throws AssertionError where a line is cut short; whatever the decoder throws */
export function decodeWhole(bytes: Buffer): PktLine[] {
  const lines: PktLine[] = []
  for (let rest = bytes; rest.length > 0;) {
    const step = decodePktLine(rest)
    assert(step.complete, 'we wrote a line that is cut short')
    lines.push(step.line)
    rest = rest.subarray(step.consumedBytes)
  }
  return lines
}

/** As many lines as a parser takes, from a client's body. @returns what follows them; undefined: the body ended first */
export function feed(body: Buffer, parser: { take(line: PktLine): boolean }): Buffer | undefined {
  for (let rest = body; ;) {
    const step = decodePktLine(rest)
    if (!step.complete) return undefined
    rest = rest.subarray(step.consumedBytes)
    if (parser.take(step.line)) return rest
  }
}
