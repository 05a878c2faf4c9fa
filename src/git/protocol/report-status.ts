/** What a push is answered (gitprotocol-pack, "Report Status"). */
import { encodeCutLine, encodePktLine, FLUSH } from '../pkt-line.ts'
import { encodeBandText, type Framing } from './side-band.ts'

export interface RefReport {
  readonly ref: string
  /** undefined: it was changed */
  readonly refused: string | undefined
}

const REASON_LENGTH_MAX = 1_000

/** @param unpackError undefined: the pack was taken */
export function encodeReport(unpackError: string | undefined, refs: readonly RefReport[], framing: Framing): Buffer {
  const report = Buffer.concat([
    encodePktLine(`unpack ${unpackError === undefined ? 'ok' : oneLine(unpackError)}\n`),
    ...refs.map(({ ref, refused }) =>
      refused === undefined ? encodePktLine(`ok ${ref}\n`) : encodeCutLine(`ng ${ref} ${oneLine(refused)}\n`),
    ),
    FLUSH,
  ])
  return framing === 'none' ? report : Buffer.concat([encodeBandText('pack', report, framing), FLUSH])
}

/** A reason must not break the report it stands in. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').slice(0, REASON_LENGTH_MAX)
}
