import { describe, expect, it } from 'vitest'
import { NO_FILTER } from '../object-graph/filter.ts'
import { give, LIMITS, OID, OTHER, parsePush, parseUpload, parseV2, ZERO } from './testing.ts'
import { UploadRequestParser } from './upload-request.ts'

describe('push', () => {
  it('reads creation, change and deletion, with or without a line feed', () => {
    const { complete, commands, capabilities } = parsePush(
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
    expect(parsePush([`shallow ${OID}\n`, `${ZERO} ${OID} refs/heads/a`, 'FLUSH']).commands).toHaveLength(1)
  })

  it('waits for options where they were announced, and reads how many there are', () => {
    const lines = [`${ZERO} ${OID} refs/heads/a\0push-options`, 'FLUSH']
    expect(parsePush(lines)).toMatchObject({ complete: false, options: 0 })
    expect(parsePush([...lines, 'ci.skip', `shallow ${OID}`])).toMatchObject({ complete: false, options: 2 })
    expect(parsePush([...lines, 'ci.skip', 'FLUSH'])).toMatchObject({ complete: true, options: 1 })
    expect(parsePush(['FLUSH'])).toEqual({ complete: true, commands: [], capabilities: new Map(), options: 0 })
  })

  it('takes capabilities with the first command only, also behind shallow commits', () => {
    const { capabilities, commands } = parsePush([
      `shallow ${OID}\0ofs-delta`,
      `${ZERO} ${OID} refs/heads/a\0 atomic object-format=sha1\n`,
      `${ZERO} ${OID} refs/heads/b\0 quiet`,
    ])
    expect(commands.map(({ ref }) => ref)).toEqual(['refs/heads/a', 'refs/heads/b'])
    expect([...capabilities]).toEqual([
      ['atomic', ''],
      ['object-format', 'sha1'],
    ])
  })

  it('keeps spaces and line feeds of a name for the rules of names to judge', () => {
    expect(parsePush([`${ZERO} ${OID} refs/heads/a b\nc\n`]).commands[0]?.ref).toBe('refs/heads/a b\nc')
  })
})

describe('fetch in version 0', () => {
  it.each([
    { name: 'a clone', lines: [`want ${OID} thin-pack ofs-delta\n`, 'FLUSH', 'done\n'], haves: [], done: true },
    { name: 'a round', lines: [`want ${OID}\n`, 'FLUSH', `have ${OTHER}\n`, 'FLUSH'], haves: [OTHER], done: false },
    { name: 'the last round', lines: [`want ${OID}`, 'FLUSH', `have ${OTHER}`, 'done'], haves: [OTHER], done: true },
  ])('reads $name', ({ lines, haves, done }) => {
    expect(parseUpload(lines)).toMatchObject({ complete: true, wants: [OID], haves, done })
  })

  it('is not complete before its end, and then it is', () => {
    const lines = [`want ${OID}`, 'FLUSH', `have ${OTHER}`]
    for (let count = 1; count <= lines.length; count++) {
      expect(parseUpload(lines.slice(0, count))).toMatchObject({ complete: false, done: false })
    }
    expect(parseUpload([...lines, 'FLUSH'])).toMatchObject({ complete: true, done: false, haves: [OTHER] })
  })

  it('takes as many lines as the limits allow', () => {
    const two = (text: string): string[] => [text, text]
    const lines = [
      ...two(`want ${OID}`),
      ...two(`shallow ${OID}`),
      ...two('deepen-not v1'),
      'FLUSH',
      ...two(`have ${OID}`),
    ]
    expect(parseUpload(lines)).toMatchObject({
      wants: [OID, OID],
      haves: [OID, OID],
      shallows: [OID, OID],
      deepen: { not: ['v1', 'v1'], relative: false },
    })
  })

  it('takes the capabilities of the first want only', () => {
    const { wants, capabilities } = parseUpload([`want ${OID} ofs-delta`, `want ${OTHER} thin-pack`, 'FLUSH'])
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
    expect(endsAfter([])).toBe(false)
    expect(endsAfter(wanted.slice(0, 1))).toBe(false)
    expect(endsAfter(wanted)).toBe(true)
    expect(endsAfter([...wanted, 'done'])).toBe(false)
    expect(endsAfter([...wanted, 'FLUSH'])).toBe(false)
    expect(endsAfter([...wanted, `have ${OID}`])).toBe(false)
  })

  it('reads how much of history is wanted, whatever comes first', () => {
    const lines = [`shallow ${OTHER}`, 'deepen-since 5', `want ${OID} deepen-relative`, 'deepen-not v1', 'FLUSH']
    expect(parseUpload(lines)).toMatchObject({
      shallows: [OTHER],
      deepen: { depth: undefined, relative: true, sinceS: 5, not: ['v1'] },
    })
    expect(parseUpload([`want ${OID}`, 'deepen 99999999999', 'FLUSH']).deepen).toMatchObject({ depth: 2 ** 31 - 1 })
    expect(parseUpload([`want ${OID}`, 'FLUSH']).deepen).toBeUndefined()
  })

  it.each([
    { spec: 'blob:none', filter: { blobBytes: 0 } },
    { spec: 'blob:limit=7', filter: { blobBytes: 7 } },
    { spec: 'blob:limit=3g', filter: { blobBytes: 3_221_225_472 } },
    { spec: 'blob:limit=1M', filter: { blobBytes: 1_048_576 } },
    { spec: `blob:limit=${2n ** 54n}`, filter: { blobBytes: Number.MAX_SAFE_INTEGER } },
    { spec: `tree:0${'0'.repeat(60)}7`, filter: { treeDepth: 7 } },
    { spec: `${'combine:'.repeat(20)}tree:1`, filter: { treeDepth: 1 } },
    { spec: 'combine:tree:2+tree:5', filter: { treeDepth: 2 } },
    { spec: 'combine:object:type=blob+object:type=blob', filter: { type: 3 } },
    { spec: 'combine:blob:none', filter: { blobBytes: 0 } },
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
    expect(parseUpload([`want ${OID}`, `filter ${spec}`, 'FLUSH']).filter).toEqual({ ...NO_FILTER, ...filter })
  })

  it('ends with a flush where nothing is wanted', () => {
    expect(parseUpload(['FLUSH'])).toMatchObject({ complete: true, wants: [], done: false })
  })
})

describe('version 2', () => {
  const ls = ['command=ls-refs\n', 'agent=git/2.39.5', 'object-format=sha1', 'DELIM']
  const fetch = ['command=fetch', 'DELIM']

  it('reads ls-refs with its arguments', () => {
    const lines = [...ls, 'peel\n', 'symrefs\n', 'unborn\n', 'ref-prefix refs/heads/\n', 'ref-prefix HEAD', 'FLUSH']
    expect(parseV2(lines)).toEqual({
      complete: true,
      request: { command: 'ls-refs', peel: true, symrefs: true, unborn: true, prefixes: ['refs/heads/', 'HEAD'] },
    })
  })

  it('lists all refs for more prefixes than C git looks at', () => {
    const many = (count: number) => parseV2([...ls, ...Array(count).fill('ref-prefix x'), 'FLUSH']).request
    expect(many(65_536)).toHaveProperty('prefixes.length', 65_536)
    expect(many(65_537)).toHaveProperty('prefixes.length', 0)
  })

  it('reads fetch with its arguments', () => {
    const { complete, request } = parseV2([
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

  it('frames all of its answers, and knows what it was told', () => {
    const words = [
      'no-progress',
      'include-tag',
      'deepen-relative',
      'sideband-all',
      'deepen 3',
      'want-ref refs/a',
      'FLUSH',
    ]
    const { request } = parseV2([...fetch, ...words])
    expect(request).toEqual({
      command: 'fetch',
      wants: [],
      haves: [],
      wantRefs: ['refs/a'],
      capabilities: new Map(
        ['side-band-64k', 'no-progress', 'include-tag', 'deepen-relative'].map((name) => [name, '']),
      ),
      done: false,
      waitForDone: false,
      sidebandAll: true,
      shallows: [],
      deepen: { depth: 3, relative: true, sinceS: undefined, not: [] },
      filter: NO_FILTER,
    })
    expect(parseV2([...fetch, 'FLUSH']).request).toMatchObject({ sidebandAll: false, waitForDone: false, done: false })
  })

  it('takes as many lines as the limits allow', () => {
    const lines = [`want ${OID}`, 'want-ref refs/a', `have ${OID}`, `have ${OID}`]
    expect(parseV2([...fetch, ...lines]).request).toMatchObject({
      wants: [OID],
      wantRefs: ['refs/a'],
      haves: [OID, OID],
    })
    const options = Array<string>(999).fill('server-option=x')
    expect(parseV2([...options, 'command=ls-refs', 'FLUSH']).complete).toBe(true)
  })

  it('keeps the name of the session, also one with signs', () => {
    expect(parseV2(['command=ls-refs', 'session-id=a=b', 'FLUSH'])).toMatchObject({ complete: true, sessionId: 'a=b' })
    expect(parseV2(['command=ls-refs', 'FLUSH']).sessionId).toBeUndefined()
    expect(parseV2(ls).complete).toBe(false)
  })

  it('reads ls-refs without any arguments', () => {
    expect(parseV2([...ls, 'FLUSH']).request).toEqual({
      command: 'ls-refs',
      peel: false,
      symrefs: false,
      unborn: false,
      prefixes: [],
    })
    expect(parseV2(['command=object-info', 'DELIM']).request).toMatchObject({ size: false, oids: [] })
  })

  it('reads object-info with its arguments', () => {
    const lines = ['command=object-info', 'session-id=one', 'DELIM', 'size', `oid ${OID}`, `oid ${OTHER}`, 'FLUSH']
    expect(parseV2(lines).request).toEqual({ command: 'object-info', size: true, oids: [OID, OTHER] })
  })

  it('asks for nothing with a flush and no more, and needs no arguments', () => {
    expect(parseV2(['FLUSH'])).toEqual({ complete: true, request: undefined })
    expect(parseV2(['command=ls-refs', 'FLUSH'])).toMatchObject({ complete: true, request: { command: 'ls-refs' } })
  })
})
