import { describe, expect, it } from 'vitest'
import { decodePktLine, type PktLine } from '../pkt-line.ts'
import { parseCapabilities, parseGitProtocol } from './capabilities.ts'
import { PushRequestParser } from './push-request.ts'
import { UploadRequestParser } from './upload-request.ts'
import { NO_FILTER } from '../object-graph/filter.ts'
import { V2RequestParser } from './v2-request.ts'

const OID = 'a1'.repeat(20)
const OTHER = 'b2'.repeat(20)
const ZERO = '0'.repeat(40)
const LIMITS = { wantsMax: 2, havesMax: 2 }

const SPECIAL = new Map([
  ['FLUSH', '0000'],
  ['DELIM', '0001'],
  ['END', '0002'],
])

/** `text` lines; FLUSH and DELIM by name. */
function give(parser: { take(line: PktLine): boolean }, lines: readonly string[]): boolean {
  let complete = false
  for (const text of lines) {
    const special = SPECIAL.get(text)
    const bytes =
      special === undefined
        ? Buffer.concat([Buffer.from((text.length + 4).toString(16).padStart(4, '0')), Buffer.from(text, 'latin1')])
        : Buffer.from(special)
    const step = decodePktLine(bytes)
    if (!step.complete) throw new Error('a test gives whole lines')
    complete = parser.take(step.line)
  }
  return complete
}

const codeOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    return (error as { detail: { code: string } }).detail.code
  }
  return 'accepted'
}

describe('capabilities', () => {
  it.each([
    { name: 'words and values', text: ' side-band-64k agent=git/2.39.5', names: ['side-band-64k', 'agent'] },
    { name: 'several spaces are one', text: 'a   b ', names: ['a', 'b'] },
    { name: 'none', text: '', names: [] },
    { name: 'names of the language', text: '__proto__ constructor', names: ['__proto__', 'constructor'] },
  ])('$name', ({ text, names }) => {
    expect([...parseCapabilities(text).keys()]).toEqual(names)
  })

  it('keeps the first of two values, and what follows the first sign', () => {
    expect(parseCapabilities('a=1=2 a=3 b').get('a')).toBe('1=2')
    expect(parseCapabilities('a=1 b').get('b')).toBe('')
  })

  it('takes a hundred and no more', () => {
    const many = (count: number): string => Array.from({ length: count }, (_, at) => `c${at}`).join(' ')
    expect(parseCapabilities(many(100)).size).toBe(100)
    expect(codeOf(() => parseCapabilities(many(101)))).toBe('line_unexpected')
  })

  it.each([
    { header: undefined, version: '0' },
    { header: 'version=2', version: '2' },
    { header: 'version=1', version: '1' },
    { header: 'version=0:version=2', version: '2' },
    { header: 'version=22', version: '0' },
    { header: 'xversion=2', version: '0' },
    { header: `${'x'.repeat(1_000)}:version=2`, version: '0' },
  ])('Git-Protocol $header asks for version $version', ({ header, version }) => {
    expect(parseGitProtocol(header)).toBe(version)
  })
})

describe('push', () => {
  const parse = (lines: readonly string[], commandsMax = 2) => {
    const parser = new PushRequestParser(commandsMax)
    return { complete: give(parser, lines), ...parser.request() }
  }

  it('reads creation, change and deletion, with or without a line feed', () => {
    const { complete, commands, capabilities } = parse(
      [
        `${ZERO} ${OID} refs/heads/a\0 report-status atomic\n`,
        `${OID} ${OTHER} refs/heads/b`,
        `${OID} ${ZERO} refs/c\n`,
        'FLUSH',
      ],
      3,
    )
    expect(complete).toBe(true)
    expect(commands).toEqual([
      { ref: 'refs/heads/a', oldOid: undefined, newOid: OID },
      { ref: 'refs/heads/b', oldOid: OID, newOid: OTHER },
      { ref: 'refs/c', oldOid: OID, newOid: undefined },
    ])
    expect([...capabilities.keys()]).toEqual(['report-status', 'atomic'])
  })

  it('passes over the shallow commits of the sender', () => {
    expect(parse([`shallow ${OID}\n`, `${ZERO} ${OID} refs/heads/a`, 'FLUSH']).commands).toHaveLength(1)
  })

  it('keeps spaces and line feeds of a name for the rules of names to judge', () => {
    expect(parse([`${ZERO} ${OID} refs/heads/a b\nc\n`]).commands[0]?.ref).toBe('refs/heads/a b\nc')
  })

  it.each([
    { name: 'one object id only', lines: [`${ZERO} refs/heads/a`], code: 'line_unexpected' },
    { name: 'a short object id', lines: [`${ZERO} ${OID.slice(1)} refs/heads/a`], code: 'line_unexpected' },
    { name: 'capitals in an object id', lines: [`${ZERO} ${OID.toUpperCase()} refs/a`], code: 'line_unexpected' },
    { name: 'no name', lines: [`${ZERO} ${OID} `], code: 'line_unexpected' },
    { name: 'an empty line', lines: [''], code: 'line_unexpected' },
    { name: 'a delim', lines: ['DELIM'], code: 'line_unexpected' },
    { name: 'a signed push', lines: [`push-cert\0report-status`], code: 'feature_unsupported' },
    { name: 'another hash', lines: [`${ZERO} ${OID} refs/a\0object-format=sha256`], code: 'feature_unsupported' },
    { name: 'a name that is not UTF-8', lines: [`${ZERO} ${OID} refs/heads/\xff`], code: 'line_unexpected' },
    { name: 'a command over the limit', lines: Array(3).fill(`${ZERO} ${OID} refs/a`), code: 'over_limit' },
    { name: 'a shallow line that names no commit', lines: ['shallow x'], code: 'line_unexpected' },
    { name: 'shallow lines over the limit', lines: Array(3).fill(`shallow ${OID}`), code: 'over_limit' },
  ])('refuses $name', ({ lines, code }) => {
    expect(codeOf(() => parse(lines))).toBe(code)
  })
})

describe('fetch in version 0', () => {
  const parse = (lines: readonly string[]) => {
    const parser = new UploadRequestParser(LIMITS)
    return { complete: give(parser, lines), ...parser.request() }
  }

  it.each([
    { name: 'a clone', lines: [`want ${OID} thin-pack ofs-delta\n`, 'FLUSH', 'done\n'], haves: [], done: true },
    { name: 'a round', lines: [`want ${OID}\n`, 'FLUSH', `have ${OTHER}\n`, 'FLUSH'], haves: [OTHER], done: false },
    { name: 'the last round', lines: [`want ${OID}`, 'FLUSH', `have ${OTHER}`, 'done'], haves: [OTHER], done: true },
  ])('reads $name', ({ lines, haves, done }) => {
    expect(parse(lines)).toMatchObject({ complete: true, wants: [OID], haves, done })
  })

  it('takes the capabilities of the first want only', () => {
    const { wants, capabilities } = parse([`want ${OID} ofs-delta`, `want ${OTHER} thin-pack`, 'FLUSH'])
    expect(wants).toEqual([OID, OTHER])
    expect([...capabilities.keys()]).toEqual(['ofs-delta'])
  })

  it('knows a client that waits for where history ends', () => {
    const endsAfter = (lines: readonly string[]): boolean => {
      const parser = new UploadRequestParser(LIMITS)
      give(parser, lines)
      return parser.endedAfterWants
    }
    const wanted = [`want ${OID}`, 'deepen 1', 'FLUSH']
    expect(endsAfter(wanted)).toBe(true)
    expect(endsAfter([...wanted, 'done'])).toBe(false)
    expect(endsAfter([...wanted, 'FLUSH'])).toBe(false)
    expect(endsAfter([...wanted, `have ${OID}`])).toBe(false)
  })

  it('reads how much of history is wanted, whatever comes first', () => {
    const lines = [`shallow ${OTHER}`, 'deepen-since 5', `want ${OID} deepen-relative`, 'deepen-not v1', 'FLUSH']
    expect(parse(lines)).toMatchObject({
      shallows: [OTHER],
      deepen: { depth: undefined, relative: true, sinceS: 5, not: ['v1'] },
    })
    expect(parse([`want ${OID}`, 'deepen 99999999999', 'FLUSH']).deepen).toMatchObject({ depth: 2 ** 31 - 1 })
    expect(parse([`want ${OID}`, 'FLUSH']).deepen).toBeUndefined()
  })

  it.each([
    { spec: 'blob:none', filter: { blobBytes: 0 } },
    { spec: 'blob:limit=2K', filter: { blobBytes: 2_048 } },
    { spec: 'tree:0', filter: { treeDepth: 0 } },
    // As strtoumax reads numbers (git_parse_ulong): git's client sends what stands in `combine:` as its user wrote it.
    { spec: 'combine:blob:limit=0x1Fk+tree:010', filter: { blobBytes: 31 * 1_024, treeDepth: 8 } },
    { spec: 'blob:limit=\t+7', filter: { blobBytes: 7 } },
    { spec: `tree:${2n ** 64n - 1n}`, filter: { treeDepth: Number.MAX_SAFE_INTEGER } },
    { spec: 'object:type=tag', filter: { type: 4 } },
    { spec: 'combine:blob:limit=1m+tree:3+blob:limit=5', filter: { blobBytes: 5, treeDepth: 3 } },
    {
      spec: 'combine:combine%3Atree%3A2%2Bblob%3Anone+object:type=blob',
      filter: { blobBytes: 0, treeDepth: 2, type: 3 },
    },
    { spec: 'combine:object:type=blob+object:type=tree', filter: { type: 0 } },
    { spec: `${'combine:'.repeat(20)}tree:1`, filter: { treeDepth: 1 } },
    { spec: 'sparse:oid=main:a+b', filter: { sparse: ['main:a+b'] } },
    { spec: 'combine:sparse:oid=a%2bb+tree:2+sparse:oid=', filter: { treeDepth: 2, sparse: ['', 'a+b'] } },
  ])('reads the filter $spec', ({ spec, filter }) => {
    expect(parse([`want ${OID}`, `filter ${spec}`, 'FLUSH']).filter).toEqual({ ...NO_FILTER, ...filter })
  })

  it.each([
    '',
    'blob',
    'blob:',
    'blob:limit=',
    'blob:limit=-1',
    'tree:x',
    'tree:08',
    'tree:0x',
    'tree:+ 1',
    `tree:${2n ** 64n}`,
    `blob:limit=${2n ** 54n}k`,
    'object:type=toString',
    'combine:',
    'combine:%',
    'sparse:',
    // One line has room for 8,000, each of which decodes all that follow it: 0.5 s, in which nobody else was served.
    `${'combine:'.repeat(21)}tree:1`,
  ])('refuses the filter "%s"', (spec) => {
    expect(codeOf(() => parse([`want ${OID}`, `filter ${spec}`]))).toBe('line_unexpected')
  })

  it('ends with a flush where nothing is wanted', () => {
    expect(parse(['FLUSH'])).toMatchObject({ complete: true, wants: [], done: false })
  })

  const wanted = [`want ${OID}`, 'FLUSH']
  it.each([
    { name: 'a want that is no object id', lines: ['want HEAD'], code: 'line_unexpected' },
    { name: 'a want of one digit too few', lines: [`want ${OID.slice(1)}`], code: 'line_unexpected' },
    { name: 'a have before the wants end', lines: [`want ${OID}`, `have ${OID}`], code: 'line_unexpected' },
    { name: 'a want after the wants ended', lines: [...wanted, `want ${OID}`], code: 'line_unexpected' },
    { name: 'something after done', lines: [...wanted, 'done', 'FLUSH'], code: 'line_unexpected' },
    { name: 'a delim', lines: ['DELIM'], code: 'line_unexpected' },
    { name: 'a second filter', lines: [`want ${OID}`, 'filter tree:1', 'filter tree:1'], code: 'line_unexpected' },
    { name: 'a depth of nothing', lines: [`want ${OID}`, 'deepen 0'], code: 'line_unexpected' },
    { name: 'a depth after the wants ended', lines: [...wanted, 'deepen 1'], code: 'line_unexpected' },
    { name: 'a shallow commit over the limit', lines: Array(3).fill(`shallow ${OID}`), code: 'over_limit' },
    { name: 'a want over the limit', lines: Array(3).fill(`want ${OID}`), code: 'over_limit' },
    { name: 'a have over the limit', lines: [...wanted, ...Array(3).fill(`have ${OID}`)], code: 'over_limit' },
  ])('refuses $name', ({ lines, code }) => {
    expect(codeOf(() => parse(lines))).toBe(code)
  })
})

describe('version 2', () => {
  const parse = (lines: readonly string[]) => {
    const parser = new V2RequestParser(LIMITS)
    return { complete: give(parser, lines), request: parser.request() }
  }
  const ls = ['command=ls-refs\n', 'agent=git/2.39.5', 'object-format=sha1', 'DELIM']
  const fetch = ['command=fetch', 'DELIM']

  it('reads ls-refs with its arguments', () => {
    const lines = [...ls, 'peel\n', 'symrefs\n', 'unborn\n', 'ref-prefix refs/heads/\n', 'ref-prefix HEAD', 'FLUSH']
    expect(parse(lines)).toEqual({
      complete: true,
      request: { command: 'ls-refs', peel: true, symrefs: true, unborn: true, prefixes: ['refs/heads/', 'HEAD'] },
    })
  })

  it('lists all refs for more prefixes than C git looks at', () => {
    const many = (count: number) => parse([...ls, ...Array(count).fill('ref-prefix x'), 'FLUSH']).request
    expect(many(65_536)).toHaveProperty('prefixes.length', 65_536)
    expect(many(65_537)).toHaveProperty('prefixes.length', 0)
  })

  it('reads fetch with its arguments', () => {
    const { complete, request } = parse([
      ...fetch,
      'thin-pack',
      'ofs-delta',
      `want ${OID}`,
      `have ${OTHER}`,
      'wait-for-done',
      'done',
      'FLUSH',
    ])
    expect(complete).toBe(true)
    expect(request).toMatchObject({ command: 'fetch', wants: [OID], haves: [OTHER], done: true, waitForDone: true })
    expect([...(request?.command === 'fetch' ? request.capabilities.keys() : [])].sort()).toEqual([
      'ofs-delta',
      'side-band-64k',
      'thin-pack',
    ])
  })

  it('reads object-info with its arguments', () => {
    const lines = ['command=object-info', 'session-id=one', 'DELIM', 'size', `oid ${OID}`, `oid ${OTHER}`, 'FLUSH']
    expect(parse(lines).request).toEqual({ command: 'object-info', size: true, oids: [OID, OTHER] })
  })

  it('asks for nothing with a flush and no more, and needs no arguments', () => {
    expect(parse(['FLUSH'])).toEqual({ complete: true, request: undefined })
    expect(parse(['command=ls-refs', 'FLUSH'])).toMatchObject({ complete: true, request: { command: 'ls-refs' } })
  })

  it.each([
    { name: 'an unknown command', lines: ['command=push'], code: 'feature_unsupported' },
    { name: 'a command of the language', lines: ['command=constructor'], code: 'feature_unsupported' },
    { name: 'two commands', lines: ['command=fetch', 'command=fetch'], code: 'line_unexpected' },
    { name: 'arguments without a command', lines: ['DELIM', 'peel'], code: 'line_unexpected' },
    { name: 'two delims', lines: [...ls, 'DELIM'], code: 'line_unexpected' },
    { name: 'a response-end', lines: ['END'], code: 'line_unexpected' },
    { name: 'something after the end', lines: [...ls, 'FLUSH', 'peel'], code: 'line_unexpected' },
    { name: 'another hash', lines: ['command=fetch', 'object-format=sha256'], code: 'feature_unsupported' },
    { name: 'a word that ls-refs does not know', lines: [...ls, 'constructor'], code: 'line_unexpected' },
    { name: 'a word that fetch does not know', lines: [...fetch, 'toString'], code: 'feature_unsupported' },
    { name: 'a depth that is none', lines: [...fetch, 'deepen x'], code: 'line_unexpected' },
    { name: 'a filter by a path of ours', lines: [...fetch, 'filter sparse:path=a'], code: 'feature_unsupported' },
    { name: 'packs by address', lines: [...fetch, 'packfile-uris https'], code: 'feature_unsupported' },
    { name: 'a want by name', lines: [...fetch, 'want refs/heads/main'], code: 'line_unexpected' },
    { name: 'a want over the limit', lines: [...fetch, ...Array(3).fill(`want ${OID}`)], code: 'over_limit' },
    { name: 'a have over the limit', lines: [...fetch, ...Array(3).fill(`have ${OID}`)], code: 'over_limit' },
    {
      name: 'an object over the limit',
      lines: ['command=object-info', 'DELIM', ...Array(3).fill(`oid ${OID}`)],
      code: 'over_limit',
    },
    { name: 'capabilities without end', lines: Array(1_001).fill('server-option=x'), code: 'line_unexpected' },
  ])('refuses $name', ({ lines, code }) => {
    expect(codeOf(() => parse(lines))).toBe(code)
  })
})
