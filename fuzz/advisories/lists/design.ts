/** What brought down an earlier implementation of this node (DESIGN §11). */
import { PACK_CRASHES, RECEIVE_PACK_CRASHES, UPLOAD_PACK_CRASHES } from '../../seeds/crash-inputs.ts'
import { type Advisory, all } from '../advisory.ts'
import { FLUSH } from '../../../src/git/pkt-line.ts'
import { hex, line, lines, text } from '../makers.ts'

/** What each of these bodies must be refused as. */
const REFUSED_AS: Readonly<Record<keyof typeof PACK_CRASHES, string>> = {
  'a pack of no objects': 'pack_truncated',
  'an object without a stream': 'pack_truncated',
  'a size of ten bytes': 'entry_header_invalid',
  'a size of a mebibyte and nothing behind it': 'object_over_limit',
  'four billion objects': 'pack_objects_over_limit',
  'a delta by a distance of nothing': 'delta_base_offset_invalid',
}

export const DESIGN: readonly Advisory[] = [
  {
    name: 'DESIGN §11, bodies of pushes',
    of: ['guts'],
    defect: 'numbers that a pack declares were believed, and a body of 36 bytes ended the process',
    inputs: Object.fromEntries(
      Object.entries(REFUSED_AS).map(([what, outcome]) => {
        const body = RECEIVE_PACK_CRASHES[what] ?? ''
        return [what, { reader: 'push', outcome, make: () => hex(body) }]
      }),
    ),
  },
  {
    name: 'DESIGN §11, a want of one letter',
    of: ['guts'],
    defect: 'an id of one letter was cut at 40, which ended the process',
    inputs: all('fetch', 'line_unexpected', {
      'as it was sent': () => hex(UPLOAD_PACK_CRASHES['a want of one letter']),
      'with its line feed and its flush': () => Buffer.concat([lines('want x\n'), FLUSH]),
    }),
  },
  {
    name: 'DESIGN §11, "+00a"',
    of: ['guts'],
    defect: 'parseInt reads lengths with a sign, a space or an x, so that every later line was shifted',
    inputs: all('pktLines', 'pkt_length_invalid', {
      'a sign': () => text('+00a123456'),
      'a space': () => text(' 00a123456'),
      'an x': () => text('0x0a123456'),
      'a minus': () => text('-001'),
    }),
  },
  {
    name: 'DESIGN §11, 30,000 commits',
    of: ['guts'],
    defect: 'a line of commits was walked by recursion, and overflowed the stack',
    inputs: all('longHistory', 'accepted', { 'in one line': () => line(30_000) }),
  },
]
