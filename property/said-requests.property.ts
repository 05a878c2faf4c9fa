/** Requests of pushes, fetches and listings: each is understood as it was said, up to its limits and no further. */
import assert from 'node:assert/strict'
import { fc } from '@fast-check/vitest'
import { NO_OID } from '../src/git/object/no-oid.ts'
import { encodePktLine, type PktLine } from '../src/git/pkt-line.ts'
import { ProtocolError } from '../src/git/protocol/error.ts'
import { PushRequestParser } from '../src/git/protocol/push-request.ts'
import { UploadRequestParser } from '../src/git/protocol/upload-request.ts'
import { V2RequestParser } from '../src/git/protocol/v2-request.ts'
import { decodeWhole } from '../fuzz/oracles/lines.ts'
import { oidHex, record } from './arbitraries.ts'
import { prop } from './prop.ts'

const LIMIT = 4
const LIMITS = { wantsMax: LIMIT, havesMax: LIMIT }
/** Up to one more than may be. */
const oids = fc.array(oidHex, { maxLength: LIMIT + 1 })
const FLUSH = { type: 'flush' } as const
const DELIM = { type: 'delim' } as const
const textLine = (text: string): PktLine => decodeWhole(encodePktLine(text))[0] as PktLine

interface Parser {
  take(line: PktLine): boolean
}

/** All lines, of which the last one alone ends the request. */
function feed<P extends Parser>(parser: P, lines: readonly PktLine[]): P {
  for (const [at, line] of lines.entries()) {
    assert.equal(parser.take(line), at === lines.length - 1, `line ${at} of ${lines.length}`)
  }
  return parser
}

/** @param over names of the limits that the request is over; where there is none, it has to be taken */
function assertOver(over: ReadonlySet<string>, read: () => void): void {
  if (over.size === 0) return read()
  assert.throws(read, (error) => {
    assert.ok(error instanceof ProtocolError && error.detail.code === 'over_limit', String(error))
    assert.ok(over.has(error.detail.limit), error.detail.limit)
    assert.equal(error.detail.limitValue, LIMIT)
    return true
  })
}

const setOf = (limits: Readonly<Record<string, boolean>>): ReadonlySet<string> =>
  new Set(Object.keys(limits).filter((name) => limits[name]))

const maybeOid = fc.oneof({ weight: 3, arbitrary: oidHex }, { weight: 1, arbitrary: fc.constant(NO_OID) })
const command = fc.tuple(maybeOid, maybeOid, fc.stringMatching(/^[a-zé ]{1,9}$/), fc.boolean())
const realOid = (oid: string): string | undefined => (oid === NO_OID ? undefined : oid)

prop([
  fc.array(command, { minLength: 1, maxLength: LIMIT + 1 }),
  oids,
  fc.option(fc.nat(LIMIT + 1), { nil: undefined }),
  fc.constantFrom('', '\n'),
])(
  'a push says its commands, the capabilities of the first and how many options',
  (commands, shallows, options, end) => {
    const words: [string, string][] =
      options === undefined
        ? [
            ['atomic', ''],
            ['agent', 'x'],
          ]
        : [['push-options', '']]
    const printed = words.map(([key, value]) => (value === '' ? key : `${key}=${value}`)).join(' ')
    const said = commands.map(([from, to, name, hasWords], at) => {
      const more = at === 0 ? `\0 ${printed}` : hasWords ? '\0other push-options' : ''
      return textLine(`${from} ${to} refs/${name}${more}${end}`)
    })
    const lines = [
      ...shallows.map((oid) => textLine(`shallow ${oid}${end}`)),
      ...said,
      FLUSH,
      ...(options === undefined ? [] : [...Array.from({ length: options }, () => textLine('o')), FLUSH]),
    ]
    const over = commands.length > LIMIT || shallows.length > LIMIT || (options ?? 0) > LIMIT
    assertOver(setOf({ max_push_commands: over }), () =>
      assert.deepEqual(feed(new PushRequestParser(LIMIT), lines).request(), {
        commands: commands.map(([from, to, name]) => {
          return { ref: `refs/${name}`, oldOid: realOid(from), newOid: realOid(to) }
        }),
        capabilities: new Map(words),
        options: options ?? 0,
      }),
    )
  },
)

const WORDS = ['thin-pack', 'no-progress', 'include-tag', 'ofs-delta', 'deepen-relative']
const history = record({
  shallows: oids,
  depth: fc.option(fc.integer({ min: 1, max: 99 }), { nil: undefined }),
  not: fc.array(fc.stringMatching(/^[a-z/]{1,9}$/), { maxLength: LIMIT + 1 }),
  words: fc.subarray(WORDS),
})
type History = typeof history extends fc.Arbitrary<infer T> ? T : never
const historyLines = ({ shallows, depth, not }: History): string[] => [
  ...shallows.map((oid) => `shallow ${oid}`),
  ...(depth === undefined ? [] : [`deepen ${depth}`]),
  ...not.map((name) => `deepen-not ${name}`),
]
function historyOf({ shallows, depth, not, words }: History) {
  const relative = words.includes('deepen-relative')
  const isDeepening = depth !== undefined || not.length > 0
  return { shallows, deepen: isDeepening ? { depth, relative, sinceS: undefined, not } : undefined }
}

prop([history, fc.array(oidHex, { minLength: 1, maxLength: LIMIT + 1 }), oids, fc.boolean(), fc.boolean()])(
  'a fetch of version 0 says what it wants and has, and the capabilities of the first want',
  (parts, wants, haves, done, saysMore) => {
    const wanted = wants.map((oid, at) => {
      return `want ${oid}${at === 0 ? [' ', ...parts.words].join(' ') : saysMore ? ' done' : ''}`
    })
    const lines = [
      ...[...wanted, ...historyLines(parts)].map((text) => textLine(`${text}\n`)),
      FLUSH,
      ...haves.map((oid) => textLine(`have ${oid}\n`)),
      done ? textLine('done\n') : FLUSH,
    ]
    const over = setOf({
      max_wants: wants.length > LIMIT || parts.not.length > LIMIT,
      max_haves: haves.length > LIMIT || parts.shallows.length > LIMIT,
    })
    assertOver(over, () => {
      const parser = feed(new UploadRequestParser(LIMITS), lines)
      const { filter: _, ...request } = parser.request()
      const capabilities = new Map(parts.words.map((word) => [word, '']))
      assert.deepEqual(request, { wants, haves, capabilities, done, ...historyOf(parts) })
      assert.equal(parser.endedAfterWants, false)
    })
  },
)

prop([fc.array(oidHex, { maxLength: LIMIT })])(
  'a fetch of version 0 that says no more than what it wants waits for an answer, or wants nothing',
  (wants) => {
    const parser = new UploadRequestParser(LIMITS)
    for (const oid of wants) assert.equal(parser.take(textLine(`want ${oid}\n`)), false)
    assert.equal(parser.take(FLUSH), wants.length === 0)
    assert.equal(parser.endedAfterWants, wants.length > 0)
    assert.deepEqual(parser.request().wants, wants)
  },
)

/** In any order, as those of version 2 come. */
const inOrder = (lines: readonly string[], order: readonly number[]): string[] =>
  lines
    .map((line, at) => ({ line, key: order[at % order.length] ?? 0 }))
    .sort((a, b) => a.key - b.key)
    .map(({ line }) => line)
const order = fc.array(fc.nat(), { minLength: 7, maxLength: 7 })
const offered = fc.subarray(['agent=git/2', 'object-format=sha1', 'server-option=x', 'session-id=y'])

function request2(parts: readonly string[], name: string, said: readonly string[]): PktLine[] {
  return [
    ...[`command=${name}`, ...parts].map((text) => textLine(`${text}\n`)),
    DELIM,
    ...said.map((text) => textLine(`${text}\n`)),
    FLUSH,
  ]
}

const OWN_WORDS = ['done', 'wait-for-done', 'sideband-all']

prop([
  record({ history, offered, order, own: fc.subarray(OWN_WORDS) }),
  oids,
  oids,
  fc.uniqueArray(fc.stringMatching(/^refs\/[a-z]{1,9}$/), { maxLength: LIMIT + 1 }),
])('a fetch of version 2 says what it wants and has, in any order', (parts, wants, haves, wantRefs) => {
  const said = [
    ...wants.map((oid) => `want ${oid}`),
    ...haves.map((oid) => `have ${oid}`),
    ...wantRefs.map((name) => `want-ref ${name}`),
    ...parts.history.words,
    ...parts.own,
  ]
  // Those of one kind keep their order: all of them are lists.
  const kinds = Map.groupBy([...said, ...historyLines(parts.history)], (line) => line.split(' ')[0] ?? '')
  const lines = inOrder(Array.from(kinds.keys()), parts.order).flatMap((kind) => kinds.get(kind) ?? [])
  const over = setOf({
    max_wants: wants.length + wantRefs.length > LIMIT || parts.history.not.length > LIMIT,
    max_haves: haves.length > LIMIT || parts.history.shallows.length > LIMIT,
  })
  assertOver(over, () => {
    const parser = feed(new V2RequestParser(LIMITS), request2(parts.offered, 'fetch', lines))
    const request = parser.request()
    assert.ok(request?.command === 'fetch')
    const { filter: _, capabilities, ...rest } = request
    const { own, history: depth } = parts
    assert.deepEqual(rest, {
      command: 'fetch',
      wants,
      haves,
      wantRefs,
      done: own.includes('done'),
      waitForDone: own.includes('wait-for-done'),
      sidebandAll: own.includes('sideband-all'),
      ...historyOf(depth),
    })
    // Bands are those that version 2 always has.
    assert.deepEqual([...capabilities.keys()].sort(), [...depth.words, 'side-band-64k'].sort())
    assert.equal(parser.sessionId, parts.offered.includes('session-id=y') ? 'y' : undefined)
  })
})

prop([
  record({ offered, order, words: fc.subarray(['peel', 'symrefs', 'unborn']), size: fc.boolean() }),
  fc.array(fc.stringMatching(/^[a-z/ ]{0,9}$/), { maxLength: 5 }),
  oids,
])('a listing says which refs, and a question for sizes which objects', (parts, prefixes, asked) => {
  const { words, size, offered: own } = parts
  const listing = inOrder([...words, ...prefixes.map((prefix) => `ref-prefix ${prefix}`)], parts.order)
  const shown = listing.flatMap((line) => (line.startsWith('ref-prefix ') ? line.slice('ref-prefix '.length) : []))
  assert.deepEqual(feed(new V2RequestParser(LIMITS), request2(own, 'ls-refs', listing)).request(), {
    command: 'ls-refs',
    ...Object.fromEntries(['peel', 'symrefs', 'unborn'].map((word) => [word, words.includes(word)])),
    prefixes: shown,
  })
  const lines = [...asked.map((oid) => `oid ${oid}`), ...(size ? ['size'] : [])]
  assertOver(setOf({ max_wants: asked.length > LIMIT }), () =>
    assert.deepEqual(feed(new V2RequestParser(LIMITS), request2(own, 'object-info', lines)).request(), {
      command: 'object-info',
      size,
      oids: asked,
    }),
  )
})
