import assert from 'node:assert/strict'
import { encodePktLine, FLUSH } from '../../src/git/pkt-line.ts'
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

const NO_OID = '0'.repeat(40)

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
