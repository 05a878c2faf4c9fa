/** Reads what a push is answered, as gitprotocol-pack has it. */
import assert from 'node:assert/strict'
import type { PushRequest } from '../../src/git/protocol/push-request.ts'
import { decodeWhole } from './lines.ts'

export interface PushReport {
  /** Why nothing was taken; undefined: it was */
  readonly unpackError: string | undefined
  /** Of each command, in their order: why not; undefined: done */
  readonly refused: readonly (string | undefined)[]
}

/**
 * @returns undefined where the client asked for no report, or was told in a line of its own that it is not understood
 * @throws AssertionError where it is neither
 */
export function readPushReport({ commands, capabilities }: PushRequest, answer: Buffer): PushReport | undefined {
  const isBanded = capabilities.has('side-band-64k') || capabilities.has('side-band')
  const lineBytesMax = capabilities.has('side-band-64k') || !isBanded ? 65_520 : 1_000
  const report = isBanded ? unband(answer, lineBytesMax) : answer
  if (report.length === 0 || report.toString('latin1', 4, 8) === 'ERR ') {
    decodeWhole(report)
    return undefined
  }
  assert(asksForReport({ capabilities }), 'nobody asked for a report')
  const lines = decodeWhole(report).map((line) => (line.type === 'data' ? line.payload.toString() : line.type))
  assert.equal(lines.pop(), 'flush')
  const [, unpacked = ''] = /^unpack (.+)\n$/.exec(lines.shift() ?? '') ?? []
  assert.notEqual(unpacked, '', 'a report begins with what became of the pack')
  assert.equal(lines.length, commands.length, 'each command is reported once')
  const refused = lines.map((line, at) => {
    const { ref = '' } = commands[at] ?? {}
    if (line === `ok ${ref}\n`) return undefined
    // A name as long as its line leaves no room for a reason.
    assert(line.startsWith(`ng ${ref} `.slice(0, 65_516)) || line.startsWith('ng '), `a report of ${ref} is ${line}`)
    return line.slice(`ng ${ref} `.length).trimEnd()
  })
  const unpackError = unpacked === 'ok' ? undefined : unpacked
  if (unpackError !== undefined) assert(!refused.includes(undefined), 'a command is done whose pack was refused')
  return { unpackError, refused }
}

export function asksForReport({ capabilities }: Pick<PushRequest, 'capabilities'>): boolean {
  return capabilities.has('report-status') || capabilities.has('report-status-v2')
}

/** @returns what came in the first band */
export function unband(answer: Buffer, lineBytesMax: number): Buffer {
  const lines = decodeWhole(answer)
  if (lines.length === 0) return answer
  assert.equal(lines.pop()?.type, 'flush', 'bands end with a flush')
  const pieces = lines.map((line) => {
    assert(line.type === 'data' && line.payload.length >= 2 && line.payload.length + 4 <= lineBytesMax)
    const [band = 0] = line.payload
    assert([1, 2, 3].includes(band), `there is no band ${band}`)
    return band === 1 ? line.payload.subarray(1) : Buffer.alloc(0)
  })
  return Buffer.concat(pieces)
}
