/** What is refused of a client's request, and what the client reads of it. */
import { describe, expect, it } from 'vitest'
import { parseOid } from './capabilities.ts'
import { ProtocolError } from './error.ts'
import { assertOneWay } from './history-arguments.ts'
import { OID, parsePush, parseUpload, parseV2, ZERO } from './testing.ts'

interface Row {
  readonly name: string
  readonly lines: readonly string[]
  readonly detail: ProtocolError['detail']
  readonly message: string
}

const expected = (name: string, lines: readonly string[], what: string): Row => ({
  name,
  lines,
  detail: { code: 'line_unexpected' },
  message: `The request is malformed: expected ${what}`,
})

const malformed = (name: string, lines: readonly string[], message: string): Row => ({
  name,
  lines,
  detail: { code: 'line_unexpected' },
  message,
})

const tooMany = (name: string, lines: readonly string[], what: string, limit: string): Row => ({
  name,
  lines,
  detail: { code: 'over_limit', limit, limitValue: 2 },
  message: `Too many ${what}; the limit (${limit}) is 2`,
})

const unsupported = (name: string, lines: readonly string[], feature: string): Row => ({
  name,
  lines,
  detail: { code: 'feature_unsupported', feature },
  message: `This server does not support ${feature}`,
})

const unknown = (name: string, lines: readonly string[], feature: string): Row => ({
  name,
  lines,
  detail: { code: 'feature_unsupported', feature },
  message: 'Unknown command',
})

const AN_OID = 'an object id of 40 hexadecimal digits'
const OTHER_HASHES = 'object formats other than sha1'

const create = `${ZERO} ${OID} refs/heads/a`
const PUSHES: readonly Row[] = [
  expected('one object id only', [`${ZERO} refs/heads/a`], AN_OID),
  expected('a short object id', [`${ZERO} ${OID.slice(1)} refs/heads/a`], AN_OID),
  expected('a long object id', [`${ZERO}0 ${OID} refs/heads/a`], AN_OID),
  expected('something before the ids', [`x ${ZERO} ${OID} refs/heads/a`], AN_OID),
  expected('an old object id that is none', [`${'g'.repeat(40)} ${OID} refs/heads/a`], AN_OID),
  expected('capitals in an object id', [`${ZERO} ${OID.toUpperCase()} refs/a`], AN_OID),
  expected('no name', [`${ZERO} ${OID} `], AN_OID),
  expected('an empty line', [''], AN_OID),
  expected('a delim', ['DELIM'], 'a command'),
  expected('a response-end among options', [`${create}\0push-options`, 'FLUSH', 'END'], 'a command'),
  malformed('a name that is not UTF-8', [`${ZERO} ${OID} refs/heads/\xff`], "A ref's name is not UTF-8"),
  unsupported('a signed push', ['push-cert\0report-status'], 'signed pushes'),
  unsupported('a signed push with its nonce', ['push-cert 1\0report-status'], 'signed pushes'),
  unsupported('another hash', [`${create}\0object-format=sha256`], OTHER_HASHES),
  tooMany('a command over the limit', Array<string>(3).fill(create), 'commands in one push', 'max_push_commands'),
  expected('a shallow line that names no commit', ['shallow x'], AN_OID),
  tooMany(
    'shallow lines over the limit',
    Array<string>(3).fill(`shallow ${OID}`),
    'shallow commits',
    'max_push_commands',
  ),
  tooMany(
    'options over the limit',
    [`${create}\0push-options`, 'FLUSH', 'a', 'b', 'c'],
    'push options',
    'max_push_commands',
  ),
]

const want = `want ${OID}`
const wanted = [want, 'FLUSH']
const FETCHES: readonly Row[] = [
  expected('a want that is no object id', ['want HEAD'], AN_OID),
  expected('a want of one digit too few', [`want ${OID.slice(1)}`], AN_OID),
  expected('a want of nothing', ['want '], AN_OID),
  expected('a have before the wants end', [want, `have ${OID}`], 'a want'),
  expected('a want that is not at the beginning of its line', [` ${want}`], 'a want'),
  expected('done before the wants end', [want, 'done'], 'a want'),
  expected('a want after the wants ended', [...wanted, want], 'a have'),
  expected('a depth after the wants ended', [...wanted, 'deepen 1'], 'a have'),
  expected('a have of nothing', [...wanted, 'have '], AN_OID),
  expected('something after done', [...wanted, 'done', 'FLUSH'], 'nothing after the end of the request'),
  expected('something after nothing was wanted', ['FLUSH', want], 'nothing after the end of the request'),
  expected('a delim', ['DELIM'], 'a line of the negotiation'),
  expected('a delim among haves', [...wanted, 'DELIM'], 'a line of the negotiation'),
  expected('a depth of nothing', [want, 'deepen 0'], 'a depth'),
  expected('a depth below nothing', [want, 'deepen -1'], 'a depth'),
  expected('a depth of sixteen digits', [want, `deepen ${'1'.repeat(16)}`], 'a depth'),
  expected('a depth with something behind it', [want, 'deepen 1 '], 'a depth'),
  expected('a depth with something before it', [want, 'deepen x1'], 'a depth'),
  expected('a second filter', [want, 'filter tree:1', 'filter tree:1'], 'one filter'),
  // One line has room for 8,000, each of which decodes all that follow it: 0.5 s, in which nobody else was served.
  expected(
    'filters in each other',
    [want, `filter ${'combine:'.repeat(21)}tree:1`],
    'at most 20 combined filters in each other',
  ),
  expected('a time that is none', [want, 'deepen-since now'], 'a time in seconds since 1970'),
  expected('a shallow commit that is none', ['shallow HEAD'], AN_OID),
  expected('a word that begins as one of the others', [want, 'deepening 1'], 'a want'),
  expected('a word that ends as one of the others', [want, 'xfilter blob:none'], 'a want'),
  tooMany('a shallow commit over the limit', Array<string>(3).fill(`shallow ${OID}`), 'shallow commits', 'max_haves'),
  tooMany('a want over the limit', Array<string>(3).fill(want), 'wants', 'max_wants'),
  tooMany('a have over the limit', [...wanted, ...Array<string>(3).fill(`have ${OID}`)], 'haves', 'max_haves'),
  tooMany('a ref to leave out over the limit', Array<string>(3).fill('deepen-not a'), 'refs to leave out', 'max_wants'),
  unsupported('a filter by a path of ours', [want, 'filter sparse:path=a'], 'sparse:path filters'),
  ...[
    '',
    'blob',
    'blob:',
    'blob:nonesuch',
    ' blob:none',
    'blob:limit=',
    'blob:limit=-1',
    'blob:limit=1t',
    'blob:limit=1kk',
    'blob:limit=1 ',
    'xblob:limit=1',
    'tree:',
    'tree:x',
    'tree:08',
    'tree:0x',
    'tree:+ 1',
    `tree:${2n ** 64n}`,
    `tree:1${'0'.repeat(22)}`,
    `blob:limit=${2n ** 54n}k`,
    'object:type=',
    'object:type=toString',
    'blob:limit=tag',
    'combine:',
    'combine:blob:none+',
    'combine:%',
    'combine:%ff',
    'sparse:',
  ].map((spec) =>
    malformed(`the filter "${spec}"`, [want, `filter ${spec}`], 'The request is malformed: invalid filter-spec'),
  ),
]

const ls = ['command=ls-refs\n', 'agent=git/2.39.5', 'object-format=sha1', 'DELIM']
const fetch = ['command=fetch', 'DELIM']
const info = ['command=object-info', 'DELIM']
const REQUESTS: readonly Row[] = [
  unknown('an unknown command', ['command=push'], 'push'),
  unknown('a command of the language', ['command=constructor'], 'constructor'),
  unknown('no command', ['command'], ''),
  unknown('a long command, which is not repeated in full', [`command=${'x'.repeat(60)}`], 'x'.repeat(40)),
  expected('two commands', ['command=fetch', 'command=fetch'], 'one command'),
  expected('arguments without a command', ['DELIM', 'peel'], 'a command'),
  expected('two delims', [...ls, 'DELIM'], 'a line of the request'),
  expected('a response-end', ['END'], 'a line of the request'),
  expected('something after the end', [...ls, 'FLUSH', 'peel'], 'nothing after the end of the request'),
  expected('a capability that nobody offered', ['thin-pack'], 'a capability that was offered'),
  expected('capabilities without end', Array<string>(1_001).fill('server-option=x'), 'at most 1000 capabilities'),
  unsupported('another hash', ['command=fetch', 'object-format=sha256'], OTHER_HASHES),
  unsupported('no hash', ['command=fetch', 'object-format'], OTHER_HASHES),
  expected('a word that ls-refs does not know', [...ls, 'constructor'], 'an argument of ls-refs'),
  expected('a word that begins as one of its own', [...ls, 'peeled'], 'an argument of ls-refs'),
  expected('a word that object-info does not know', [...info, `have ${OID}`], 'an argument of object-info'),
  expected('an object that is none', [...info, 'oid HEAD'], AN_OID),
  unsupported('a word that fetch does not know', [...fetch, 'toString'], 'the fetch argument given'),
  unsupported('packs by address', [...fetch, 'packfile-uris https'], 'the fetch argument packfile-uris'),
  unsupported('packs by no address', [...fetch, 'packfile-uris'], 'the fetch argument packfile-uris'),
  unsupported('a word that begins as that', [...fetch, 'packfile-urisx'], 'the fetch argument given'),
  expected('a depth that is none', [...fetch, 'deepen x'], 'a depth'),
  expected('a want by name', [...fetch, 'want refs/heads/main'], AN_OID),
  expected('a have by name', [...fetch, 'have refs/heads/main'], AN_OID),
  expected('a want-ref twice', [...fetch, 'want-ref refs/a', 'want-ref refs/a'], 'each want-ref once'),
  tooMany('a want over the limit', [...fetch, ...Array<string>(3).fill(want)], 'wants', 'max_wants'),
  tooMany('a want over the limit, by names', [...fetch, want, 'want-ref a', 'want-ref b'], 'wants', 'max_wants'),
  tooMany('a have over the limit', [...fetch, ...Array<string>(3).fill(`have ${OID}`)], 'haves', 'max_haves'),
  tooMany('an object over the limit', [...info, ...Array<string>(3).fill(`oid ${OID}`)], 'objects', 'max_wants'),
]

const SUITES = [
  { suite: 'a push', parse: parsePush, rows: PUSHES },
  { suite: 'a fetch in version 0', parse: parseUpload, rows: FETCHES },
  { suite: 'a request of version 2', parse: parseV2, rows: REQUESTS },
]

describe.each(SUITES)('$suite', ({ parse, rows }) => {
  it.each(rows)('is refused with $name', ({ lines, detail, message }) => {
    // Those before are fine: it is the last one that is refused, and not an earlier one.
    parse(lines.slice(0, -1))
    expect(() => parse(lines)).toThrow(expect.objectContaining({ name: 'ProtocolError', detail, message }))
  })
})

it.each(['', OID.slice(1), `${OID}0`, `${OID}\n`, `x${OID}`, OID.toUpperCase()])('"%s" is no object id', (text) => {
  expect(() => parseOid(text)).toThrow(`expected ${AN_OID}`)
})

describe('a depth', () => {
  const request = { depth: undefined, relative: false, sinceS: undefined, not: [] }
  it.each([
    { name: 'with a time', more: { depth: 1, sinceS: 5 } },
    { name: 'with a ref to leave out', more: { depth: 1, not: ['v1'] } },
  ])('is refused $name', ({ more }) => {
    expect(() => assertOneWay({ ...request, ...more })).toThrow(
      expect.objectContaining({
        detail: { code: 'history_refused' },
        message: 'deepen and deepen-since (or deepen-not) cannot be used together',
      }),
    )
  })

  it.each([{ depth: 1 }, { sinceS: 5 }, { not: ['v1'] }, { sinceS: 5, not: ['v1'] }])('is taken with %o', (more) => {
    expect(() => assertOneWay({ ...request, ...more })).not.toThrow()
  })
})
