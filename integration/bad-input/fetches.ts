/** Requests of a fetch that no server can answer, each with what the client is to read. */
import { gzipSync } from 'node:zlib'
import { FLUSH, pkt } from '../support/wire.ts'
import { FIRST, MISSING } from './fixture.ts'

export interface BadFetch {
  readonly name: string
  readonly version: '0' | '1' | '2'
  readonly body: Buffer
  readonly reason: RegExp
  readonly headers?: Readonly<Record<string, string>>
}

const DELIM = Buffer.from('0001')
const lines = (...texts: readonly string[]): Buffer => Buffer.concat(texts.map((text) => pkt(`${text}\n`)))
const v0 = (name: string, body: Buffer | string, reason: RegExp): BadFetch => ({
  name: `${name}, in protocol 0`,
  version: '0',
  body: Buffer.from(body),
  reason,
})
const v2 = (name: string, body: Buffer | string, reason: RegExp): BadFetch => ({
  name: `${name}, in protocol 2`,
  version: '2',
  body: Buffer.from(body),
  reason,
})
const fetch2 = (...args: readonly string[]): Buffer =>
  Buffer.concat([lines('command=fetch', 'object-format=sha1'), DELIM, lines(...args), FLUSH])
const wants0 = (...texts: readonly string[]): Buffer => Buffer.concat([lines(...texts), FLUSH, lines('done')])

const wants = (count: number): string[] => Array.from({ length: count }, () => `want ${FIRST.oid}`)
const haves = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `have ${String(at).padStart(40, '0')}`)
const shallows = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `shallow ${String(at).padStart(40, '0')}`)

const VERSION_0: BadFetch[] = [
  v0('the crash input: a want that is none', Buffer.from('3030306177616e74207830303030', 'hex'), /object id/),
  v0('a length of +00a', '+00awant x', /valid length/),
  v0('a length of 0003', '0003', /valid length/),
  v0('a length in the sky', `ffff${'a'.repeat(70_000)}`, /valid length/),
  v0('half a length', '00', /ends inside a line/),
  v0('a line that ends early', '0032want 0123', /ends inside a line/),
  v0('words', lines('give me everything'), /expected a want/),
  v0('a want of something missing', wants0(`want ${MISSING.oid}`), new RegExp(`not our ref ${MISSING.oid}`)),
  v0('an id in capitals', wants0(`want ${'A'.repeat(40)}`), /object id/),
  v0('an id of 39 digits', wants0(`want ${'a'.repeat(39)}`), /object id/),
  v0('an id of 64 digits', wants0(`want ${'a'.repeat(64)}`), /object id/),
  v0('a have that is none', Buffer.concat([lines(...wants(1)), FLUSH, lines('have x')]), /object id/),
  v0('something between the haves', Buffer.concat([lines(...wants(1)), FLUSH, lines('halve it')]), /expected a have/),
  v0('something after the end', Buffer.concat([wants0(...wants(1)), lines('more')]), /goes on after its end/),
  v0('a delimiter', Buffer.concat([lines(...wants(1)), DELIM]), /malformed/),
  v0('a depth of nothing', wants0(...wants(1), 'deepen 0'), /expected a depth/),
  v0('a depth below nothing', wants0(...wants(1), 'deepen -1'), /expected a depth/),
  v0('a time that is none', wants0(...wants(1), 'deepen-since yesterday'), /expected a time/),
  v0('a depth and a time', wants0(...wants(1), 'deepen 1', 'deepen-since 1'), /cannot be used together/),
  v0('a depth and a ref', wants0(...wants(1), 'deepen 1', 'deepen-not refs/heads/main'), /cannot be used together/),
  v0('a ref to leave out that is not there', wants0(...wants(1), 'deepen-not nowhere'), /ambiguous deepen-not/),
  v0('a time in the future', wants0(...wants(1), 'deepen-since 99999999999'), /no commits selected/),
  v0('a shallow commit that is none', wants0(...wants(1), 'shallow x'), /object id/),
  v0(
    'one shallow commit more than the limit',
    wants0(...wants(1), ...shallows(4)),
    /Too many shallow.*max_haves.* 3$/m,
  ),
  v0('a filter that is none', wants0(...wants(1), 'filter everything'), /invalid filter-spec/),
  v0('a filter of a size that is none', wants0(...wants(1), 'filter blob:limit=1t'), /invalid filter-spec/),
  v0(
    'a filter by patterns that are not there',
    wants0(...wants(1), 'filter sparse:oid=HEAD:x'),
    /unable to access sparse blob/,
  ),
  v0('more capabilities than anybody has', wants0(`want ${FIRST.oid} ${'x '.repeat(200)}`), /capabilities/),
  v0('one want more than the limit', wants0(...wants(3)), /Too many wants.*max_wants.* 2$/m),
  v0(
    'one have more than the limit',
    Buffer.concat([lines(...wants(1)), FLUSH, lines(...haves(4), 'done')]),
    /Too many haves.*max_haves.* 3$/m,
  ),
]

const VERSION_2: BadFetch[] = [
  v2('the crash input', Buffer.from('3030306177616e74207830303030', 'hex'), /capability that was offered/),
  v2('an unknown command', Buffer.concat([lines('command=destroy'), FLUSH]), /Unknown command/),
  v2('two commands', Buffer.concat([lines('command=fetch', 'command=ls-refs'), FLUSH]), /one command/),
  v2('arguments without a command', Buffer.concat([DELIM, lines('peel'), FLUSH]), /expected a command/),
  v2('a capability that was not offered', Buffer.concat([lines('command=fetch', 'sideband-all'), FLUSH]), /offered/),
  v2(
    'the format sha256',
    Buffer.concat([lines('command=fetch', 'object-format=sha256'), FLUSH]),
    /object formats other than sha1/,
  ),
  v2(
    'two thousand capabilities',
    Buffer.concat([lines(...Array.from({ length: 2_000 }, () => 'agent=x')), FLUSH]),
    /at most 1000/,
  ),
  v2(
    'an argument that ls-refs does not have',
    Buffer.concat([lines('command=ls-refs'), DELIM, lines('everything'), FLUSH]),
    /argument of ls-refs/,
  ),
  v2('a want of something missing', fetch2(`want ${MISSING.oid}`, 'done'), new RegExp(`not our ref ${MISSING.oid}`)),
  v2('a want that is none', fetch2('want x', 'done'), /object id/),
  v2('a depth of nothing', fetch2(...wants(1), 'deepen 0', 'done'), /expected a depth/),
  v2('a depth and a time', fetch2(...wants(1), 'deepen 1', 'deepen-since 1', 'done'), /cannot be used together/),
  v2('a time in the future', fetch2(...wants(1), 'deepen-since 99999999999', 'done'), /no commits selected/),
  v2('a ref to leave out that is not there', fetch2(...wants(1), 'deepen-not nowhere', 'done'), /ambiguous deepen-not/),
  v2(
    'one shallow commit more than the limit',
    fetch2(...wants(1), ...shallows(4)),
    /Too many shallow.*max_haves.* 3$/m,
  ),
  v2(
    'one ref to leave out more than the limit',
    fetch2(...wants(1), ...Array<string>(3).fill('deepen-not x')),
    /max_wants.* 2$/m,
  ),
  v2('a filter that is none', fetch2(...wants(1), 'filter tree:', 'done'), /invalid filter-spec/),
  v2('a filter with a broken escape', fetch2(...wants(1), 'filter combine:%f+tree:1', 'done'), /invalid filter-spec/),
  v2(
    'a want of a ref that is not there',
    fetch2('want-ref refs/heads/none', 'done'),
    /unknown ref refs\/heads\/none$/m,
  ),
  v2(
    'a want of a ref whose name fills its line',
    fetch2(`want-ref refs/heads/${'a'.repeat(65_495)}`, 'done'),
    /unknown ref refs\/heads\/a+$/m,
  ),
  v2('a want of half a name', fetch2('want-ref main', 'done'), /unknown ref$/m),
  v2('a want of what is no name', fetch2('want-ref refs/heads/a b', 'done'), /unknown ref$/m),
  v2('a ref wanted twice', fetch2(...Array<string>(2).fill('want-ref HEAD'), 'done'), /each want-ref once/),
  v2('one want more than the limit, by name', fetch2(...wants(2), 'want-ref HEAD', 'done'), /max_wants.* 2$/m),
  v2(
    'packs by address, which are not offered',
    fetch2(...wants(1), 'packfile-uris https'),
    /fetch argument packfile-uris/,
  ),
  v2('an argument out of a prototype', fetch2(...wants(1), 'constructor', 'done'), /does not support/),
  v2('one want more than the limit', fetch2(...wants(3), 'done'), /Too many wants.*max_wants.* 2$/m),
  v2('one have more than the limit', fetch2(...wants(1), ...haves(4)), /Too many haves.*max_haves.* 3$/m),
  v2(
    'a second request after the first',
    Buffer.concat([fetch2(...wants(1), 'done'), fetch2(...wants(1), 'done')]),
    /goes on after its end/,
  ),
]

const gzip = { 'Content-Encoding': 'gzip' }
const packed = gzipSync(wants0(...wants(1)))
const NOT_ENCODED = /not what its content encoding says/
const ENCODINGS: BadFetch[] = [
  { ...v0('gzip that is none', wants0(...wants(1)), NOT_ENCODED), headers: gzip },
  { ...v0('gzip of nothing', '', NOT_ENCODED), headers: gzip },
  { ...v0('gzip that ends early', packed.subarray(0, -9), NOT_ENCODED), headers: gzip },
  {
    ...v0('gzip whose checksum is wrong', Buffer.concat([packed.subarray(0, -8), Buffer.alloc(8, 7)]), NOT_ENCODED),
    headers: gzip,
  },
  { ...v0('deflate that is none', 'hello', NOT_ENCODED), headers: { 'Content-Encoding': 'deflate' } },
  {
    ...v0(
      'a mistake in gzip that ends early',
      gzipSync(Buffer.from(`0003${'x'.repeat(50_000)}`)).subarray(0, -9),
      /valid length|content encoding/,
    ),
    headers: gzip,
  },
  {
    ...v0(
      'a bomb of 200 MB in gzip',
      gzipSync(Buffer.alloc(200 * 2 ** 20, '0')),
      /max_request_size|too large|valid length/,
    ),
    headers: gzip,
  },
]

export const BAD_FETCHES: readonly BadFetch[] = [...VERSION_0, ...VERSION_2, ...ENCODINGS]
