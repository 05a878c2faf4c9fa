/** Lines as clients send them, for the tests beside. */
import { decodePktLine, type PktLine } from '../pkt-line.ts'
import { PushRequestParser } from './push-request.ts'
import { UploadRequestParser } from './upload-request.ts'
import { V2RequestParser } from './v2-request.ts'

export const OID = 'a1'.repeat(20)
export const OTHER = 'b2'.repeat(20)
export const ZERO = '0'.repeat(40)
export const LIMITS = { wantsMax: 2, havesMax: 2 }

const SPECIAL = new Map([
  ['FLUSH', '0000'],
  ['DELIM', '0001'],
  ['END', '0002'],
])

/**
 * @param lines in Latin-1; FLUSH, DELIM and END by name
 * @returns what the parser said after the last: before it, nothing may be complete
 */
export function give(parser: { take(line: PktLine): boolean }, lines: readonly string[]): boolean {
  const said: boolean[] = []
  for (const text of lines) {
    const special = SPECIAL.get(text)
    const bytes =
      special === undefined
        ? Buffer.concat([Buffer.from((text.length + 4).toString(16).padStart(4, '0')), Buffer.from(text, 'latin1')])
        : Buffer.from(special)
    const step = decodePktLine(bytes)
    if (!step.complete) throw new Error('a test gives whole lines')
    said.push(parser.take(step.line))
  }
  if (said.slice(0, -1).includes(true)) throw new Error('a request was complete before its last line')
  return said.at(-1) === true
}

export function parsePush(lines: readonly string[], commandsMax = 2) {
  const parser = new PushRequestParser(commandsMax)
  return { complete: give(parser, lines), ...parser.request() }
}

export function parseUpload(lines: readonly string[]) {
  const parser = new UploadRequestParser(LIMITS)
  return { complete: give(parser, lines), ...parser.request() }
}

export function parseV2(lines: readonly string[]) {
  const parser = new V2RequestParser(LIMITS)
  return { complete: give(parser, lines), request: parser.request(), sessionId: parser.sessionId }
}
