import assert from 'node:assert/strict'
import { decodePktLine, encodePktLine, FLUSH } from '../../src/git/pkt-line.ts'
import { PackError } from '../../src/git/pack/error.ts'
import { ProtocolError } from '../../src/git/protocol/error.ts'
import { type PushCommand, type PushRequest, PushRequestParser } from '../../src/git/protocol/push-request.ts'
import { encodeReport } from '../../src/git/protocol/report-status.ts'
import { framingOf } from '../../src/git/protocol/side-band.ts'
import { isRefName, REF_NAME_BYTES_MAX, whyNotPushable } from '../../src/git/ref-name.ts'
import { Cursor } from '../grammar/cursor.ts'
import { framePush, limitNear, writeCapabilities } from '../grammar/requests.ts'
import { unlessRefused } from '../oracles/expected.ts'
import { decodeWhole, feed } from '../oracles/lines.ts'
import { readPack } from '../oracles/packs.ts'
import { RECEIVE_PACK_CRASHES } from '../seeds/crash-inputs.ts'
import type { NamedExchange } from '../seeds/material.ts'
import { linesOf } from '../seeds/programs.ts'
import { hexSeeds, textSeeds } from '../seeds/texts.ts'
import type { FuzzTarget } from '../target.ts'

const RECEIVE_PACK_LINES = {
  'more shallow lines than the limit': '\x03shallow @a\nshallow @b\nshallow @a\nshallow @b\n@0 @a refs/heads/a\n0000\n',
  'push options': '\x01@0 @a refs/heads/a\0report-status push-options\n0000\none\ntwo=2\n0000\n',
} as const

const NO_OID = '0'.repeat(40)

export const target = {
  reads: 'requests of a push, with their pack, and reports on them',
  drives: {
    'src/git/protocol/push-request.ts': ['take', 'request', 'realOid'],
    'src/git/protocol/capabilities.ts': ['parseCapabilities', 'parseOid'],
    'src/git/protocol/report-status.ts': ['encodeReport'],
    'src/git/ref-name.ts': ['whyNotPushable', 'hasRefFormat'],
    'src/git/pack/indexer.ts': ['indexPack'],
  },
  inputBytesMax: 4_096,
  words: [
    '\n',
    '@0 @a refs/heads/a\n',
    '@a @0 refs/heads/b\n',
    `${NO_OID} ${'a'.repeat(40)} refs/heads/main`,
    '\0report-status side-band-64k atomic',
    '\0report-status side-band delete-refs object-format=sha1',
    '\0report-status push-options',
    'shallow @a\n',
    'push-cert\n',
    '0000\n',
    'PACK\0\0\0\x02\0\0\0\x01',
    'refs/tags/',
    '.lock',
    '@0 @b refs/heads/a.lock\n',
    '@{',
  ],
  makesObjects: false,
  goalPerS: 1_000,
  planted: {
    'lock-suffix': {
      why: 'a ref named like its own lock file cannot be written to disk',
      file: 'src/git/ref-name.ts',
      from: 'if (at - componentAt >= LOCK_SUFFIX.length &&',
      to: 'if (at - componentAt >= LOCK_SUFFIX.length && at < name.length &&',
    },
  },
  seeds: ({ exchanges }) => ({
    ...Object.fromEntries(exchanges.flatMap(seedsOf)),
    ...textSeeds(RECEIVE_PACK_LINES),
    ...hexSeeds('@', RECEIVE_PACK_CRASHES),
  }),
} satisfies FuzzTarget

interface Push {
  readonly request: PushRequest
  readonly pack: Buffer
}

/**
 * The first byte says how the rest is meant: as it is, or as lines to be framed, up to `0000`, and a pack
 * (bit 0); within which limit (bits 1 and 2).
 *
 * Oracle: refused with a ProtocolError, or within the limits and the same when written and read again; names that may
 * be pushed are names to git; every command is reported once, in whole lines; the pack is taken or refused.
 */
export function fuzz(data: Buffer): void {
  const input = new Cursor(data)
  const mode = input.byte()
  const body = (mode & 1) === 0 ? input.rest() : framePush(input.rest())
  const commandsMax = limitNear(body, ' refs/', mode >> 1)
  const push = unlessRefused([ProtocolError], () => read(body, commandsMax))
  if (push === undefined) return
  const { request, pack } = push
  assert.deepEqual(read(encode(request), commandsMax).request, request)
  assert(request.commands.length <= commandsMax, 'more commands than the limit allows')
  assert(request.options <= commandsMax, 'more options than the limit allows')
  for (const command of request.commands) checkCommand(command)
  const first = decodePktLine(body)
  if (first.complete && first.line.type === 'data' && first.line.payload.toString('latin1', 0, 8) === 'shallow ')
    assert.match(first.line.payload.toString('latin1'), /^shallow [0-9a-f]{40}/, 'a shallow line that names no commit')
  checkReport(request)
  if (pack.length > 0) unlessRefused([PackError], () => readPack(pack))
}

/** @throws ProtocolError request_truncated: as the node reads a body that ends before its commands do */
function read(body: Buffer, commandsMax: number): Push {
  const parser = new PushRequestParser(commandsMax)
  const pack = feed(body, parser)
  if (pack === undefined) throw new ProtocolError({ code: 'request_truncated' }, 'The request ends too early')
  return { request: parser.request(), pack }
}

function encode({ commands, capabilities, options }: PushRequest): Buffer {
  const lines = commands.map(({ ref, oldOid, newOid }, at) => {
    const text = `${oldOid ?? NO_OID} ${newOid ?? NO_OID} ${ref}\n`
    return encodePktLine(at === 0 ? `${text}\0${writeCapabilities(capabilities)}\n` : text)
  })
  const optionLines = Array.from({ length: options }, (_, at) => encodePktLine(`option ${at}`))
  return Buffer.concat([...lines, FLUSH, ...(capabilities.has('push-options') ? [...optionLines, FLUSH] : [])])
}

function checkCommand({ ref, oldOid, newOid }: PushCommand): void {
  for (const oid of [oldOid, newOid]) assert(oid === undefined || (/^[0-9a-f]{40}$/.test(oid) && oid !== NO_OID))
  if (whyNotPushable(ref) !== undefined) return
  assert(isRefName(ref) && ref.startsWith('refs/') && Buffer.byteLength(ref) <= REF_NAME_BYTES_MAX)
  // Told in another way than the shipped code tells it (git-check-ref-format).
  assert.doesNotMatch(ref, /[ ~^:?*[\\]|\.\.|@\{|\/\/|\/\.|\.lock(\/|$)|[./]$/)
  assert(Buffer.from(ref).every((byte) => byte > 0x20 && byte !== 0x7f))
}

function checkReport({ commands, capabilities }: PushRequest): void {
  const framing = framingOf(capabilities)
  const refs = commands.map(({ ref }, at) => ({ ref, refused: at % 2 === 0 ? undefined : 'not\ntoday' }))
  const encoded = encodeReport(undefined, refs, framing)
  const report = framing === 'none' ? encoded : unframe(encoded)
  const [unpack, ...lines] = decodeWhole(report).map((line) => (line.type === 'data' ? line.payload.toString() : ''))
  assert.equal(unpack, 'unpack ok\n')
  assert.deepEqual(lines, [
    ...refs.map(({ ref, refused }) => (refused === undefined ? `ok ${ref}\n` : `ng ${ref} not today\n`)),
    '',
  ])
}

function unframe(bytes: Buffer): Buffer {
  const lines = decodeWhole(bytes)
  assert.equal(lines.pop()?.type, 'flush')
  return Buffer.concat(lines.map((line) => (line.type === 'data' ? line.payload.subarray(1) : FLUSH)))
}

function seedsOf({ name, service, request }: NamedExchange): [string, Buffer][] {
  if (service !== 'git-receive-pack') return []
  return [
    [name, Buffer.concat([Buffer.from('@'), request])],
    [`${name}, in lines`, Buffer.concat([Buffer.from('A'), linesOf(request)])],
  ]
}
