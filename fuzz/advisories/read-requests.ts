/** What clients say, as the node reads it. */
import { SparseBudget, SparsePatterns } from '../../src/git/object-graph/sparse-patterns.ts'
import { decodePktLine, type PktLine } from '../../src/git/pkt-line.ts'
import { lineText, parseCapabilities } from '../../src/git/protocol/capabilities.ts'
import { ProtocolError } from '../../src/git/protocol/error.ts'
import { PushRequestParser } from '../../src/git/protocol/push-request.ts'
import { UploadRequestParser } from '../../src/git/protocol/upload-request.ts'
import { V2RequestParser } from '../../src/git/protocol/v2-request.ts'
import { whyNotPushable } from '../../src/git/ref-name.ts'
import { feed } from '../oracles/lines.ts'
import { readPack } from '../oracles/packs.ts'

const LIMITS = { wantsMax: 64, havesMax: 64 } as const
const COMMANDS_MAX = 64
const END_OF_PATTERNS = 0xff
/** As the fuzz target has it: no pattern of a few hundred bytes takes so many. */
const STEPS_MAX = 10_000_000

export function readPktLines(bytes: Buffer): string | undefined {
  for (let rest = bytes; rest.length > 0;) {
    const step = decodePktLine(rest)
    if (!step.complete) return 'incomplete'
    rest = rest.subarray(step.consumedBytes)
  }
  return undefined
}

export function readPush(body: Buffer): string | undefined {
  const parser = new PushRequestParser(COMMANDS_MAX)
  const pack = feedWhole(body, parser)
  if (parser.request().commands.some(({ ref }) => whyNotPushable(ref) !== undefined)) return 'ref_refused'
  if (pack.length > 0) readPack(pack)
  return undefined
}

export function readFetch(body: Buffer): undefined {
  feedWhole(body, new UploadRequestParser(LIMITS))
}

export function readFetchV2(body: Buffer): undefined {
  feedWhole(body, new V2RequestParser(LIMITS))
}

function feedWhole(body: Buffer, parser: { take(line: PktLine): boolean }): Buffer {
  const rest = feed(body, parser)
  if (rest === undefined) throw new ProtocolError({ code: 'request_truncated' }, 'The request ends too early')
  return rest
}

export function readCapabilities(bytes: Buffer): undefined {
  parseCapabilities(lineText(bytes))
}

export function readRefName(bytes: Buffer): string | undefined {
  return whyNotPushable(bytes.toString()) === undefined ? undefined : 'ref_refused'
}

export function readSparse(bytes: Buffer): undefined {
  const end = bytes.indexOf(END_OF_PATTERNS)
  const path = bytes.subarray(end + 1)
  const patterns = new SparsePatterns(bytes.subarray(0, end), new SparseBudget({ steps: STEPS_MAX }))
  patterns.judge(path, path.lastIndexOf(0x2f) + 1, false)
}
