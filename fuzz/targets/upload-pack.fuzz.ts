import assert from 'node:assert/strict'
import { encodePktLine, FLUSH, type PktLine } from '../../src/git/pkt-line.ts'
import { ProtocolError } from '../../src/git/protocol/error.ts'
import { encodeObjectInfo } from '../../src/git/protocol/advertisement.ts'
import { negotiateV0, negotiateV2 } from '../../src/git/protocol/negotiation.ts'
import { prefixMatcher } from '../../src/git/protocol/ref-prefixes.ts'
import { encodeLinesInBand } from '../../src/git/protocol/side-band.ts'
import { type FetchLimits, type UploadRequest, UploadRequestParser } from '../../src/git/protocol/upload-request.ts'
import type { FetchV2Request, LsRefsRequest, ObjectInfoRequest, V2Request } from '../../src/git/protocol/v2-commands.ts'
import { V2RequestParser } from '../../src/git/protocol/v2-request.ts'
import { Cursor } from '../grammar/cursor.ts'
import { runSteps } from '../grammar/request-steps.ts'
import { linesOfHistory } from '../grammar/history-lines.ts'
import { frameLines, limitNear, writeCapabilities } from '../grammar/requests.ts'
import { unlessRefused } from '../oracles/expected.ts'
import { decodeWhole, feed } from '../oracles/lines.ts'
import { stepsOf } from '../grammar/request-steps.ts'
import { UPLOAD_PACK_CRASHES } from '../seeds/crash-inputs.ts'
import type { NamedExchange } from '../seeds/material.ts'
import { linesOf, splitLines } from '../seeds/programs.ts'
import { hexSeeds, textSeeds } from '../seeds/texts.ts'
import type { FuzzTarget } from '../target.ts'

/** What the machine's git never says by itself, in lines to be framed. */
const UPLOAD_PACK_LINES = {
  'object-info': '\x05command=object-info\nsession-id=one\n0001\nsize\noid @a\noid @b\n0000\n',
  'sideband-all': '\x05command=fetch\n0001\nsideband-all\nwant @a\nhave @b\n0000\n',
} as const

export const target = {
  reads: 'requests of a fetch, in versions 0, 1 and 2, and answers to them',
  drives: {
    'src/git/protocol/upload-request.ts': ['take', 'request'],
    'src/git/protocol/v2-request.ts': ['take', 'request'],
    'src/git/protocol/v2-commands.ts': ['argument', 'request'],
    'src/git/protocol/advertisement.ts': ['encodeObjectInfo'],
    'src/git/protocol/side-band.ts': ['encodeLinesInBand'],
    'src/git/protocol/capabilities.ts': ['parseCapabilities', 'parseOid'],
    'src/git/protocol/negotiation.ts': ['negotiateV0', 'negotiateV2'],
    'src/git/protocol/ref-prefixes.ts': ['prefixMatcher'],
  },
  inputBytesMax: 4_096,
  words: [
    '\n',
    'want @a\n',
    'have @b\n',
    'want @c multi_ack_detailed no-done side-band-64k\n',
    '0000\n',
    '0001\n',
    'done\n',
    'command=fetch\n',
    'command=ls-refs\n',
    'agent=git/2\n',
    'ref-prefix refs/heads/\n',
    'peel\n',
    'symrefs\n',
    'unborn\n',
    'wait-for-done\n',
    'sideband-all\n',
    'command=object-info\n',
    'size\n',
    'oid @a\n',
    'session-id=one\n',
    'deepen 1\n',
    'filter blob:none\n',
  ],
  makesObjects: false,
  goalPerS: 1_000,
  planted: {
    'one-want-too-many': {
      why: 'a limit that is checked too late by one',
      file: 'src/git/protocol/upload-request.ts',
      from: 'this.#wants.length >= this.#limits.wantsMax',
      to: 'this.#wants.length > this.#limits.wantsMax',
    },
  },
  seeds: ({ exchanges }) => ({
    ...Object.fromEntries(exchanges.flatMap(seedsOf)),
    ...textSeeds(UPLOAD_PACK_LINES),
    ...hexSeeds('@', UPLOAD_PACK_CRASHES),
  }),
} satisfies FuzzTarget

const NAMES = ['HEAD', 'refs/heads/main', 'refs/heads/a', 'refs/tags/v1', 'refs/', '']

/**
 * The first byte says how the rest is meant: bits 0 and 1 as it is, in lines to be framed, or in steps; bit 2 in which
 * version; bits 3 and 4 within which limits.
 *
 * Oracle: refused with a ProtocolError, or within the limits, the same when written and read again, and answered in
 * whole lines that acknowledge nothing but what the client has.
 */
export function fuzz(data: Buffer): void {
  const input = new Cursor(data)
  const mode = input.byte()
  const body = bodyOf(mode, input.rest())
  const limits = { wantsMax: limitNear(body, 'want ', mode >> 3), havesMax: limitNear(body, 'have ', mode >> 3) }
  if ((mode & 4) === 0) fuzzV0(body, limits)
  else fuzzV2(body, limits)
}

function bodyOf(mode: number, rest: Buffer): Buffer {
  if ((mode & 3) === 0) return rest
  return (mode & 3) === 1 ? frameLines(rest) : runSteps(rest)
}

function fuzzV0(body: Buffer, limits: FetchLimits): void {
  const request = unlessRefused([ProtocolError], () => readV0(body, limits))
  if (request === undefined) return
  assert.deepEqual(readV0(encodeV0(request), limits), request)
  checkFetch(request, limits)
  const common = commonOf(request)
  for (const ready of [false, true]) checkAnswer(request, negotiateV0(request, common, ready).answer)
}

/** @returns undefined: it has no end, or asks for nothing */
function requestOf<Request>(
  body: Buffer,
  parser: { take(line: PktLine): boolean; request(): Request | undefined },
): Request | undefined {
  if (feed(body, parser) === undefined) return undefined
  const request = parser.request()
  assert.throws(() => parser.take({ type: 'flush' }), ProtocolError, 'what follows the end is taken for a part of it')
  return request
}

function readV0(body: Buffer, limits: FetchLimits): UploadRequest | undefined {
  return requestOf(body, new UploadRequestParser(limits))
}

function encodeV0(request: UploadRequest): Buffer {
  const { wants, haves, capabilities, done } = request
  const history = linesOfHistory(request).map((line) => encodePktLine(line))
  if (wants.length === 0) return Buffer.concat([...history, FLUSH])
  return Buffer.concat([
    ...wants.map((oid, at) =>
      encodePktLine(at === 0 ? `want ${oid} ${writeCapabilities(capabilities)}\n` : `want ${oid}\n`),
    ),
    ...history,
    FLUSH,
    ...haves.map((oid) => encodePktLine(`have ${oid}\n`)),
    done ? encodePktLine('done\n') : FLUSH,
  ])
}

function fuzzV2(body: Buffer, limits: FetchLimits): void {
  const request = unlessRefused([ProtocolError], () => readV2(body, limits))
  if (request === undefined) return
  assert.deepEqual(readV2(encodeV2(request), limits), request)
  if (request.command === 'ls-refs') return checkPrefixes(request)
  if (request.command === 'object-info') return checkObjectInfo(request, limits)
  checkFetch(request, limits)
  const common = commonOf(request)
  for (const ready of [false, true]) {
    const { answer } = negotiateV2(request, common, ready)
    checkAnswer(request, answer)
    checkBands(answer)
  }
}

function readV2(body: Buffer, limits: FetchLimits): V2Request | undefined {
  return requestOf(body, new V2RequestParser(limits))
}

function encodeV2(request: V2Request): Buffer {
  const lines = linesOfCommand(request)
  const framed = lines.map((line) => encodePktLine(`${line}\n`))
  return Buffer.concat([encodePktLine(`command=${request.command}`), Buffer.from('0001'), ...framed, FLUSH])
}

function linesOfCommand(request: V2Request): string[] {
  switch (request.command) {
    case 'ls-refs':
      return linesOfLsRefs(request)
    case 'fetch':
      return linesOfFetch(request)
    case 'object-info':
      return [...(request.size ? ['size'] : []), ...request.oids.map((oid) => `oid ${oid}`)]
  }
}

function linesOfLsRefs({ peel, symrefs, unborn, prefixes }: LsRefsRequest): string[] {
  const words = Object.entries({ peel, symrefs, unborn }).flatMap(([word, given]) => (given ? [word] : []))
  return [...words, ...prefixes.map((prefix) => `ref-prefix ${prefix}`)]
}

function linesOfFetch(request: FetchV2Request): string[] {
  const { wants, wantRefs, haves, capabilities, done, waitForDone, sidebandAll } = request
  // Implied by the version, never said.
  const words = Array.from(capabilities.keys()).filter((name) => name !== 'side-band-64k')
  const said = { done, 'wait-for-done': waitForDone, 'sideband-all': sidebandAll }
  const ends = Object.entries(said).flatMap(([word, given]) => (given ? [word] : []))
  const named = wantRefs.map((name) => `want-ref ${name}`)
  const wanted = [...wants.map((oid) => `want ${oid}`), ...named, ...linesOfHistory(request)]
  return [...words, ...wanted, ...haves.map((oid) => `have ${oid}`), ...ends]
}

function checkFetch({ wants, haves }: UploadRequest, { wantsMax, havesMax }: FetchLimits): void {
  assert(wants.length <= wantsMax, 'more wants than the limit allows')
  assert(haves.length <= havesMax, 'more haves than the limit allows')
  for (const oid of [...wants, ...haves]) assert.match(oid, /^[0-9a-f]{40}$/)
}

/** Every second one is here. */
function commonOf({ haves }: UploadRequest): Set<string> {
  return new Set(haves.filter((_, at) => at % 2 === 0))
}

function checkAnswer({ haves }: UploadRequest, answer: Buffer): void {
  for (const line of decodeWhole(answer)) {
    if (line.type !== 'data') continue
    const [, oid] = /^ACK ([^ \n]*)/.exec(line.payload.toString('latin1')) ?? []
    assert(oid === undefined || haves.includes(oid), 'nothing is acknowledged that the client does not have')
  }
}

/** The same lines, each with its band before it. */
function checkBands(answer: Buffer): void {
  const plain = decodeWhole(answer)
  const framed = decodeWhole(encodeLinesInBand(answer))
  assert.equal(framed.length, plain.length)
  for (const [at, line] of framed.entries()) {
    const before = plain[at]
    assert.equal(line.type, before?.type)
    if (line.type !== 'data' || before?.type !== 'data') continue
    assert.equal(line.payload[0], 1)
    assert(line.payload.subarray(1).equals(before.payload), 'a line changed on its way into its band')
  }
}

function checkObjectInfo(request: ObjectInfoRequest, { wantsMax }: FetchLimits): void {
  assert(request.oids.length <= wantsMax, 'more objects than the limit allows')
  const answer = decodeWhole(
    encodeObjectInfo(
      request,
      request.oids.map((_, at) => (at % 2 === 0 ? at : undefined)),
    ),
  )
  const isHeaded = request.size && request.oids.length > 0
  assert.equal(answer.length, request.oids.length + (isHeaded ? 2 : 1))
}

function checkPrefixes({ prefixes }: LsRefsRequest): void {
  const matches = prefixMatcher(prefixes)
  for (const name of [...NAMES, ...prefixes]) {
    assert.equal(matches(name), prefixes.length === 0 || prefixes.some((prefix) => name.startsWith(prefix)))
  }
}

/** `@` and the letters after it, as the first byte is read. */
function seedsOf({ name, service, version, request }: NamedExchange): [string, Buffer][] {
  if (service !== 'git-upload-pack') return []
  const mode = version === '2' ? 0x44 : 0x40
  return [
    [name, Buffer.concat([Buffer.of(mode), request])],
    [`${name}, in lines`, Buffer.concat([Buffer.of(mode + 1), linesOf(request)])],
    [`${name}, in steps`, Buffer.concat([Buffer.of(mode + 2), stepsOf(splitLines(request))])],
  ]
}
