import assert from 'node:assert/strict'
import { INFINITE_DEPTH } from '../../src/git/object-graph/deepen.ts'
import { ProtocolError } from '../../src/git/protocol/error.ts'
import { assertOneWay, HistoryArguments, type HistoryRequest } from '../../src/git/protocol/history-arguments.ts'
import { linesOfHistory } from '../grammar/history-lines.ts'
import { unlessRefused } from '../oracles/expected.ts'
import { textSeeds } from '../seeds/texts.ts'
import type { FuzzTarget } from '../target.ts'

const LIMITS = { wantsMax: 3, havesMax: 3 } as const
const OID = 'a'.repeat(40)

export const target = {
  reads: 'how much of history and of its objects a fetch wants',
  drives: {
    'src/git/protocol/history-arguments.ts': ['take', 'request', 'assertOneWay', 'parseWhole'],
    'src/git/protocol/filter-spec.ts': [
      'parseFilterSpec',
      'parseOne',
      'parseNumber',
      'decode',
      'both',
      'bothTypes',
      'least',
    ],
    'src/git/protocol/capabilities.ts': ['parseOid'],
  },
  inputBytesMax: 1_024,
  words: [
    'deepen ',
    'deepen-since ',
    'deepen-not ',
    `shallow ${OID}`,
    'filter blob:none',
    'filter blob:limit=1k',
    'filter tree:0',
    'filter object:type=commit',
    'filter sparse:oid=main:x',
    'filter combine:',
    '+tree%3A1',
    '%2B',
    '%25',
    '999999999999999',
  ],
  makesObjects: false,
  goalPerS: 10_000,
  planted: {
    'broken-escape': {
      why: 'a filter with a "%" and no digits behind it ends in an error that nobody expects',
      file: 'src/git/protocol/filter-spec.ts',
      from: '  try {\n    return decodeURIComponent(text)\n  } catch {\n    throw invalid()\n  }\n',
      to: '  return decodeURIComponent(text)\n',
    },
  },
  seeds: () =>
    textSeeds({
      'a depth': `shallow ${OID}\ndeepen 2147483647`,
      'a time and what is left out': 'deepen-since 1700000000\ndeepen-not refs/heads/old\ndeepen-not v1',
      'two ways at once': 'deepen 1\ndeepen-since 1',
      'no blobs': 'filter blob:none',
      'small blobs': 'filter blob:limit=16K',
      'trees of some depth': 'filter tree:3',
      'one type': 'filter object:type=tag',
      'a sparse checkout': 'filter sparse:oid=main:patterns',
      'a path of ours': 'filter sparse:path=x',
      'several filters': 'filter combine:blob:none+tree:2+object:type=blob',
      'numbers in other bases': 'filter combine:tree:0x1Fk+blob:limit=010+tree:%2B7+tree:18446744073709551615',
      'a number and something behind it': 'filter tree:00x',
      'a number in base 16 and something behind it': 'filter tree:0x00z',
      'more digits than a number has': 'filter tree:99999999999999999999999',
      'more than a number can be': 'filter blob:limit=17179869184g',
      'filter after filter': 'filter tree:1\nfilter blob:none',
      'filters in filters': 'filter combine:combine%3Atree%3A1%2Btree%3A2+sparse:oid=%25',
      'filters in very many filters': `filter ${'combine:'.repeat(21)}tree:1`,
      'another line': 'want nothing',
      'too many': `shallow ${OID}\n`.repeat(4),
    }),
} satisfies FuzzTarget

/**
 * Lines without their ends.
 *
 * Oracle: refused with a ProtocolError, or within the limits, and the same when written and read again; a short line whose
 * last character but one comes 200,000 times is read as well.
 */
export function fuzz(data: Buffer): void {
  const lines = data.toString('latin1').split('\n')
  if (data.length <= STRETCHED_BYTES_MAX) unlessRefused([ProtocolError], () => read([stretched(lines[0] ?? '')]))
  const request = unlessRefused([ProtocolError], () => read(lines))
  if (request === undefined) return
  const { shallows, deepen } = request
  assert(shallows.length <= LIMITS.havesMax && (deepen?.not.length ?? 0) <= LIMITS.wantsMax)
  for (const oid of shallows) assert.match(oid, /^[0-9a-f]{40}$/)
  if (deepen?.depth !== undefined) assert(deepen.depth >= 1 && deepen.depth <= INFINITE_DEPTH)
  if (deepen?.sinceS !== undefined) assert(Number.isSafeInteger(deepen.sinceS) && deepen.sinceS >= 1)
  checkFilter(request)
  assert(!lines.some((line) => COMBINED_DEEPLY.test(line)), 'each level of a filter costs as much as all that is in it')
  assert(lines.filter((line) => line.startsWith('filter ')).length <= 1, 'two filters, of which one does not count')
  assert.deepEqual(read(linesOfHistory(request)), request)
  if (deepen === undefined) return
  const isOneWay = unlessRefused([ProtocolError], () => (assertOneWay(deepen), true)) ?? false
  assert.equal(isOneWay, deepen.depth === undefined || (deepen.sinceS === undefined && deepen.not.length === 0))
}

/** Of those that are stretched. */
const STRETCHED_BYTES_MAX = 24
/**
 * Three times as much as a line holds. What takes a time that grows with the square of it, as a pattern did that could share
 * zeros in many ways, takes more than an input may: there 30 s.
 */
const LINE_BYTES_MAX = 200_000

function stretched(line: string): string {
  const at = Math.max(0, line.length - 2)
  return line.slice(0, at) + line.slice(at, at + 1).repeat(LINE_BYTES_MAX) + line.slice(at + 1)
}

const COMBINED_DEEPLY = /^filter (?:combine:){21}/

function read(lines: readonly string[]): HistoryRequest {
  const history = new HistoryArguments(LIMITS)
  for (const line of lines) history.take(line)
  return history.request(false)
}

function checkFilter({ filter: { blobBytes, treeDepth, type } }: HistoryRequest): void {
  for (const number of [blobBytes, treeDepth])
    assert(number === undefined || (Number.isSafeInteger(number) && number >= 0))
  assert(type === undefined || [0, 1, 2, 3, 4].includes(type))
}
