import assert from 'node:assert/strict'
import { decodePktLine, encodePktLine, PKT_LINE_BYTES_MAX, type PktLine } from '../../src/git/pkt-line.ts'
import { ProtocolError } from '../../src/git/protocol/error.ts'
import { BANDS, encodeBandText, FRAME_BYTES_MAX } from '../../src/git/protocol/side-band.ts'
import { unlessRefused } from '../oracles/expected.ts'
import { decodeWhole } from '../oracles/lines.ts'
import type { FuzzTarget } from '../target.ts'

export const target = {
  reads: 'lines as git frames them, and texts in side-band frames',
  drives: {
    'src/git/pkt-line.ts': ['decodePktLine', 'encodePktLine', 'hex4'],
    'src/git/protocol/side-band.ts': ['encodeBandText'],
  },
  inputBytesMax: 2_048,
  words: ['0000', '0001', '0002', '0003', '0004', '0005', '000a', 'fff0', 'fff1', 'FFF0', '+00a', '0x0a', '-001'],
  makesObjects: false,
  goalPerS: 20_000,
  planted: {
    'lenient-length': {
      why: 'parseInt reads "+00a" as 10, so a client shifts every later line (DESIGN §11)',
      file: 'src/git/pkt-line.ts',
      from: 'const length = hex4(bytes)',
      to: "const length = Number.parseInt(bytes.toString('latin1', 0, LENGTH_BYTES), 16) || hex4(bytes)",
    },
  },
  seeds: ({ exchanges }) =>
    Object.fromEntries(
      exchanges.flatMap(({ name, request, answer }) => [
        [name, request],
        [`answer to ${name}`, answer],
      ]),
    ),
} satisfies FuzzTarget

const SPECIAL = { flush: '0000', delim: '0001', 'response-end': '0002' } as const

/**
 * Oracle: bytes are refused with a ProtocolError, or are what we would write, but for the case of hex digits; a line
 * that is not all there says how much is missing; a text comes out of its frames as it went in.
 */
export function fuzz(data: Buffer): void {
  unlessRefused([ProtocolError], () => {
    for (let rest = data; ;) {
      const step = decodePktLine(rest)
      if (!step.complete) {
        assert(step.neededBytes > rest.length, 'a decoder that asks for what it has hangs its connection (I7)')
        assert(step.neededBytes <= PKT_LINE_BYTES_MAX)
        return
      }
      assert(step.consumedBytes >= 4, 'a decoder that stands still hangs its connection (I7)')
      const taken = rest.subarray(0, step.consumedBytes)
      const written = encode(step.line)
      assert.equal(taken.toString('latin1', 0, 4).toLowerCase(), written.toString('latin1', 0, 4))
      assert(taken.subarray(4).equals(written.subarray(4)))
      checkCut(taken)
      rest = rest.subarray(step.consumedBytes)
    }
  })
  checkBands(data)
}

function encode(line: PktLine): Buffer {
  return line.type === 'data' ? encodePktLine(line.payload) : Buffer.from(SPECIAL[line.type])
}

/** Without its last byte a line is not there yet, and nothing more than the whole of it is asked for. */
function checkCut(line: Buffer): void {
  const step = decodePktLine(line.subarray(0, -1))
  assert(!step.complete)
  assert(step.neededBytes <= line.length)
}

function checkBands(text: Buffer): void {
  const frames = decodeWhole(encodeBandText('progress', text, 'side-band'))
  const pieces = frames.map((frame) => {
    assert(frame.type === 'data' && frame.payload[0] === BANDS.progress)
    assert(frame.payload.length + 4 <= FRAME_BYTES_MAX['side-band'])
    return frame.payload.subarray(1)
  })
  assert(Buffer.concat(pieces).equals(text))
}
