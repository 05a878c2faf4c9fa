import assert from 'node:assert/strict'
import { OBJECT_TYPE } from '../../src/git/object/type.ts'
import { FLUSH } from '../../src/git/pkt-line.ts'
import { ProtocolError } from '../../src/git/protocol/error.ts'
import { FRAME_BYTES_MAX, framingOf } from '../../src/git/protocol/side-band.ts'
import { type UploadRequest, UploadRequestParser } from '../../src/git/protocol/upload-request.ts'
import type { FetchV2Request, LsRefsRequest, V2Request } from '../../src/git/protocol/v2-commands.ts'
import { V2RequestParser } from '../../src/git/protocol/v2-request.ts'
import type { GitVersion } from '../../src/transfer/git-request.ts'
import { Cursor } from '../grammar/cursor.ts'
import { FIXED_LETTERS, FIXED_OBJECTS, FIXED_REFS, fixedName, fixedObject } from '../grammar/fixed-repository.ts'
import { runSteps, stepsOf } from '../grammar/request-steps.ts'
import { frameLines, nameOfLetter } from '../grammar/requests.ts'
import { inPieces, openFixedRepository } from '../host/fixed-host.ts'
import { REQUEST_LIMITS, type RepositoryHere } from '../host/repository-here.ts'
import type { PlainObject } from '../oracles/closure.ts'
import { unlessRefused } from '../oracles/expected.ts'
import { readFetchAnswer } from '../oracles/fetch-answer.ts'
import { checkFetched } from '../oracles/fetched-pack.ts'
import { decodeWhole } from '../oracles/lines.ts'
import type { NamedExchange } from '../seeds/material.ts'
import { linesOf, splitLines } from '../seeds/programs.ts'
import { textSeeds } from '../seeds/texts.ts'
import type { FuzzTarget } from '../target.ts'

/** What the machine's git never says by itself, in lines to be framed. */
const FETCHES = {
  'a clone without bands': '\x41want @a\n0000\ndone\n',
  'narrow bands': '\x41want @a side-band ofs-delta\n0000\nhave @d\ndone\n',
  'a part of history': '\x41want @a multi_ack_detailed side-band-64k thin-pack\ndeepen 2\n0000\nhave @b\ndone\n',
  'a tag that follows': '\x41want @c include-tag no-progress side-band-64k\n0000\ndone\n',
  'what is not here': '\x41want @z\n0000\ndone\n',
  'refs by name, in bands': '\x49command=fetch\n0001\nsideband-all\nwant-ref refs/heads/main\nhave @c\ndone\n0000\n',
  'a round of negotiation': '\x49command=fetch\n0001\nthin-pack\nwant @a\nhave @d\nhave @z\n0000\n',
  'what of it is here': '\x49command=fetch\n0001\nwait-for-done\nhave @d\nhave @z\n0000\n',
  'sizes of objects': '\x49command=object-info\n0001\nsize\noid @a\noid @z\n0000\n',
  'a listing of tags': '\x49command=ls-refs\n0001\npeel\nsymrefs\nref-prefix refs/tags/\nref-prefix HEAD\n0000\n',
  'no blobs, and the rest of it': '\x49command=fetch\n0001\nfilter blob:none\nwant @a\nhave @b\ndone\n0000\n',
  'since a time': '\x49command=fetch\n0001\ndeepen-since 1500000000\nshallow @c\nwant @a\ndone\n0000\n',
  'a listing, then a clone': '\x01want @a\n0000\ndone\n',
  'a listing in version 1, then nothing': '\x050000\n',
  'a listing for a push': '\x010000\n0000\n',
  'the same clone twice': '\xc9command=fetch\n0001\nofs-delta\nwant @a\ndone\n0000\n',
} as const

export const target = {
  reads: 'whole fetches and listings in versions 0, 1 and 2, through the handler, to the packs that they bring',
  drives: {
    'src/transfer/fetch.ts': ['run', 'runV0', 'runV2', 'remember'],
    'src/transfer/history.ts': ['historyOf'],
    'src/transfer/known-fetches.ts': ['find', 'remember'],
    'src/transfer/pack-cache.ts': ['openHot', 'hotNow'],
    'src/transfer/send-fetched-pack.ts': ['sendFetchedPack', 'stream'],
    'src/transfer/workers/build-task.ts': ['runBuild', 'runDeepen', 'runMeasure', 'runNegotiate'],
    'src/transfer/pack-builder.ts': ['buildPack'],
    'src/git/object-graph/select.ts': ['selectObjects'],
    'src/git/object-graph/deepen.ts': ['findBoundary'],
    'src/git/protocol/negotiation.ts': ['negotiateV0', 'negotiateV2'],
    'src/git/protocol/advertisement.ts': ['encodeAdvertisement', 'encodeLsRefs', 'encodeObjectInfo'],
  },
  inputBytesMax: 1_024,
  words: [
    'want @a\n',
    'have @d\n',
    'have @z\n',
    'want @b multi_ack_detailed no-done side-band-64k\n',
    ' include-tag',
    ' thin-pack',
    ' ofs-delta',
    'shallow @c\n',
    'deepen 1\n',
    'deepen-since 1600000000\n',
    'deepen-not side\n',
    'filter tree:1\n',
    'filter blob:limit=9\n',
    'done\n',
    '0000\n',
    '0001\n',
    'command=fetch\n',
    'want-ref refs/tags/v1\n',
    'sideband-all\n',
    'wait-for-done\n',
  ],
  makesObjects: false,
  isAsync: true,
  goalPerS: 300,
  planted: {
    'head-that-nobody-asked-for': {
      why: 'a listing names HEAD to who asked for two kinds of other refs',
      file: 'src/git/protocol/advertisement.ts',
      from: "  if (isWanted('HEAD')) {",
      to: "  if (isWanted('HEAD') || prefixes.length === 2) {",
    },
  },
  seeds: ({ fixed }) => ({ ...textSeeds(FETCHES), ...Object.fromEntries(fixed.flatMap(fetchSeedsOf)) }),
} satisfies FuzzTarget

const VERSIONS: readonly GitVersion[] = ['0', '1', '2', '2']
/** Bytes of each piece of the body; 0: all of it comes at once. */
const PIECE_BYTES = [0, 1, 7, 64] as const
const LISTING = 0x40
const TWICE = 0x80

/**
 * The first byte says how the rest is meant: bits 0 and 1 as it is, in lines to be framed, or in steps; bits 2 and 3 in
 * which version; bits 4 and 5 how the body comes; bit 6 (where it is 0) that a listing is asked for first; bit 7 that
 * the same is asked once more.
 *
 * Oracle: refused in words, or answered in whole lines; nothing is acknowledged that the client does not have; the pack
 * holds what a naive walk finds to be wanted and not had, on bases that the client has; who asks again gets the same.
 */
export async function fuzz(data: Buffer): Promise<void> {
  const repository = await openFixedRepository()
  try {
    const input = new Cursor(data)
    const mode = input.byte()
    const version = VERSIONS[(mode >> 2) & 3] ?? '0'
    const body = bodyOf(mode, input.rest())
    if ((mode & LISTING) === 0) await list(repository, version, body.length % 2 === 0)
    const fetch = () => ask(repository, version, body, PIECE_BYTES[(mode >> 4) & 3] ?? 0)
    const answer = await fetch()
    if (answer !== undefined && version === '2') checkV2(body, answer)
    else if (answer !== undefined) checkV0(body, answer)
    if ((mode & TWICE) !== 0) for (let time = 2; time <= 3; time++) assert.deepEqual(await fetch(), answer)
    assert.deepEqual(repository.refs, FIXED_REFS)
  } finally {
    repository.restore()
  }
}

function bodyOf(mode: number, rest: Buffer): Buffer {
  if ((mode & 3) === 0) return rest
  return (mode & 3) === 1 ? frameLines(rest, fixedName) : runSteps(rest, numberedName)
}

function numberedName(choice: number): string {
  return FIXED_OBJECTS[choice]?.oid ?? nameOfLetter(String.fromCharCode(0x61 + choice))
}

/** @returns undefined where it is refused before anything is said */
async function ask(
  repository: RepositoryHere,
  version: GitVersion,
  body: Buffer,
  pieceBytes: number,
): Promise<Buffer | undefined> {
  const asked = { service: 'git-upload-pack', version, body: inPieces(body, pieceBytes) } as const
  return (await repository.ask(asked)).bytes
}

async function list(repository: RepositoryHere, version: GitVersion, isPush: boolean): Promise<void> {
  const service = isPush ? 'git-receive-pack' : 'git-upload-pack'
  const { bytes = Buffer.alloc(0) } = await repository.ask({ service, version, body: undefined })
  const lines = decodeWhole(bytes)
  assert.equal(lines.pop()?.type, 'flush')
  if (version === '2' && !isPush) return
  const text = lines.map((line) => (line.type === 'data' ? line.payload.toString() : '')).join('')
  for (const [name, oid] of FIXED_REFS) assert(text.includes(`${oid} ${name}`), `${name} is not listed`)
}

function checkV0(body: Buffer, bytes: Buffer): void {
  const request = unlessRefused([ProtocolError], () => parse(body, new UploadRequestParser(REQUEST_LIMITS)))
  const framing = framingOf(request?.capabilities ?? new Map())
  const bandBytesMax = framing === 'none' ? undefined : FRAME_BYTES_MAX[framing]
  const answer = readFetchAnswer(bytes, { isV2: false, bandBytesMax, sidebandAll: false })
  if (request === undefined) assert.notEqual(answer.error, undefined, 'what is malformed is not said to be')
  else checkFetched(request, request.wants, answer, lookUp)
}

function checkV2(body: Buffer, bytes: Buffer): void {
  const request = unlessRefused([ProtocolError], () => parse(body, new V2RequestParser(REQUEST_LIMITS)))
  if (request?.command === 'ls-refs') return checkLsRefs(request, bytes)
  if (request?.command === 'object-info') return void decodeWhole(bytes)
  const sidebandAll = request?.sidebandAll ?? false
  // What goes wrong before all of it is read is told without.
  const isPlain = bytes.toString('latin1', 4, 8) === 'ERR '
  const bandBytesMax = FRAME_BYTES_MAX['side-band-64k']
  const answer = readFetchAnswer(bytes, { isV2: true, bandBytesMax, sidebandAll: sidebandAll && !isPlain })
  if (request === undefined) return
  if (asksForNothing(request) && isOneRequest(body)) {
    assert.equal(answer.error, undefined, 'who wants nothing is refused')
    const here = request.haves.filter((oid) => request.waitForDone && !request.done && lookUp(oid) !== undefined)
    assert.deepEqual(new Set(answer.acknowledged), new Set(here))
  }
  const named = request.wantRefs.map((name) => FIXED_REFS.get(name === 'HEAD' ? 'refs/heads/main' : name))
  for (const [name, oid] of answer.wantedRefs) {
    assert.equal(oid, FIXED_REFS.get(name === 'HEAD' ? 'refs/heads/main' : name))
  }
  checkFetched(request, [...request.wants, ...named.filter((oid) => oid !== undefined)], answer, lookUp)
}

/** At most which of its commits are here. */
function asksForNothing({ wants, wantRefs, deepen, filter }: FetchV2Request): boolean {
  return wants.length + wantRefs.length + filter.sparse.length === 0 && deepen === undefined
}

/** What goes on after its end is refused, also with bytes that are no line. */
function isOneRequest(body: Buffer): boolean {
  const lines = splitLines(body)
  const bytes = lines.reduce((sum, line) => sum + line.length, 0)
  return bytes === body.length && lines.findIndex((line) => line.equals(FLUSH)) === lines.length - 1
}

/** @returns undefined where the client says nothing. @throws ProtocolError */
function parse<Request extends UploadRequest | V2Request | undefined>(
  body: Buffer,
  parser: { take(line: ReturnType<typeof decodeWhole>[number]): boolean; request(): Request },
): Request | undefined {
  const lines = unlessRefused([ProtocolError], () => splitLines(body)) ?? []
  for (const line of lines) if (parser.take(decodeWhole(line)[0] ?? { type: 'flush' })) break
  return parser.request()
}

const lookUp = (oid: string): PlainObject | undefined => {
  const object = fixedObject(oid)
  return object === undefined ? undefined : { type: OBJECT_TYPE[object.type], data: object.data }
}

function checkLsRefs({ prefixes, unborn, symrefs }: LsRefsRequest, bytes: Buffer): void {
  const lines = decodeWhole(bytes).map((line) => (line.type === 'data' ? line.payload.toString() : line.type))
  if (lines.length === 1 && lines[0]?.startsWith('ERR ')) return
  assert.equal(lines.pop(), 'flush')
  const listed = new Map(lines.map((line) => line.trimEnd().split(' ')).map(([oid = '', name = '']) => [name, oid]))
  assert(!listed.has('unborn') || (unborn && symrefs))
  const isWanted = (name: string): boolean => prefixes.length === 0 || prefixes.some((one) => name.startsWith(one))
  const head = FIXED_REFS.get('refs/heads/main') ?? ''
  const expected = new Map([...FIXED_REFS, ['HEAD', head] as const].filter(([name]) => isWanted(name)))
  assert.deepEqual(new Map([...listed].sort()), new Map([...expected].sort()))
}

/** In lines and in steps as well. */
function fetchSeedsOf({ name, service, version, request }: NamedExchange): [string, Buffer][] {
  if (service !== 'git-upload-pack') return []
  const mode = 0x40 | (Number(version) << 2)
  return [
    [name, Buffer.concat([Buffer.of(mode), request])],
    [`${name}, in lines`, Buffer.concat([Buffer.of(mode | 1 | 0x20), linesOf(request, FIXED_LETTERS)])],
    [`${name}, in steps`, Buffer.concat([Buffer.of(mode | 2 | TWICE), stepsOf(splitLines(request), numberedName)])],
  ]
}
