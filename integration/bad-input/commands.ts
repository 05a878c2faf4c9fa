/** Commands of a push that no server may obey, each with what the pusher is to read. */
import { randomBytes } from 'node:crypto'
import { pack, tag } from '../support/pack-maker.ts'
import { command, FLUSH, NO_OID, pkt, PUSH_CAPABILITIES, pushBody } from '../support/wire.ts'
import { FIRST, MISSING, objects, TREE } from './fixture.ts'

export interface BadCommand {
  readonly name: string
  readonly body: Buffer
  readonly reason: RegExp
}

const EMPTY_PACK = pack([])
const push = (name: string, commands: readonly Buffer[], reason: RegExp, bytes = EMPTY_PACK): BadCommand => ({
  name,
  body: pushBody(commands, bytes),
  reason,
})

const NAMES: readonly (readonly [name: string, ref: string | Buffer])[] = [
  ['two dots', 'refs/heads/..'],
  ['two dots inside', 'refs/heads/a..b'],
  ['a way up', 'refs/heads/../../config'],
  ['a way up at once', 'refs/../x'],
  ['an absolute path', '/etc/passwd'],
  ['HEAD', 'HEAD'],
  ['a file of the repository', 'config'],
  ['a name outside of refs', 'objects/info/alternates'],
  ['a lock', 'refs/heads/a.lock'],
  ['a lock as a folder', 'refs/heads/a.lock/b'],
  ['one component', 'refs/heads'],
  ['a stash', 'refs/stash'],
  ['a slash at the end', 'refs/heads/a/'],
  ['two slashes', 'refs/heads//a'],
  ['a dot at the start', 'refs/heads/.a'],
  ['a dot at the end', 'refs/heads/a.'],
  ['a line feed', 'refs/heads/a\nb'],
  ['a carriage return', 'refs/heads/a\rb'],
  ['an escape', 'refs/heads/\u001b[31m'],
  ['DEL', 'refs/heads/a\u007f'],
  ['a space', 'refs/heads/a b'],
  ['a backslash', 'refs/heads/a\\b'],
  ['a glob', 'refs/heads/*'],
  ['a colon', 'refs/heads/a:b'],
  ['a reflog', 'refs/heads/a@{1}'],
  ['nothing at all', ''],
  ['bytes that are no UTF-8', Buffer.from('refs/heads/caf\xe9', 'latin1')],
  ['half of a character', Buffer.concat([Buffer.from('refs/heads/'), Buffer.of(0xe2, 0x82)])],
  ['a kilobyte and one', `refs/heads/${'a/'.repeat(506)}aa`],
  ['a part longer than a file name may be', `refs/heads/${'a'.repeat(251)}`],
  ['as many bytes as a line can have', `refs/heads/${'a'.repeat(65_000)}`],
  ['as many bytes, and none of them UTF-8', Buffer.concat([Buffer.from('refs/heads/'), Buffer.alloc(65_000, 0xff)])],
]

const BAD_NAMES = NAMES.map(([what, ref]) =>
  push(`a ref with ${what}`, [command(ref, FIRST.oid)], /^unpack ok\nng .*name|not UTF-8|malformed/s),
)

const newCommit = '1'.repeat(40)
const TARGETS: BadCommand[] = [
  push(
    'a branch on an object that is nowhere',
    [command('refs/heads/bad', newCommit)],
    /ng refs\/heads\/bad .*missing/,
  ),
  push(
    'a branch on a tree',
    [command('refs/heads/bad', TREE.oid)],
    /ng refs\/heads\/bad a branch can only point to a commit/,
  ),
  push(
    'a branch on a blob of the same push',
    [command('refs/heads/bad', MISSING.oid)],
    /branch can only point/,
    pack(objects(MISSING)),
  ),
  push(
    'a branch on a tag of the same push',
    [command('refs/heads/bad', tag(FIRST.oid, 'commit').oid)],
    /branch can only point/,
    pack(objects(tag(FIRST.oid, 'commit'))),
  ),
]

const other = 'ab'.repeat(20)
const OLD_IDS: BadCommand[] = [
  push('an old id that never was', [command('refs/heads/main', FIRST.oid, other)], /changed meanwhile/),
  push('a new branch that exists', [command('refs/heads/main', FIRST.oid)], /already exists/),
  push('a change of a branch that is not there', [command('refs/heads/none', FIRST.oid, other)], /does not exist/),
  push('deleting a branch that is not there', [command('refs/heads/none', NO_OID, other)], /does not exist/),
  push('deleting with a stale old id', [command('refs/heads/main', NO_OID, other)], /changed meanwhile/),
  push('deleting the branch that HEAD points to', [command('refs/heads/main', NO_OID, FIRST.oid)], /current branch/),
]

const SETS: BadCommand[] = [
  push(
    'one ref changed with a stale old id, then deleted, and another one below it',
    [
      command('refs/heads/main', FIRST.oid, other),
      command('refs/heads/main', NO_OID, FIRST.oid),
      command('refs/heads/main/sub', FIRST.oid),
    ],
    /ng refs\/heads\/main multiple updates.*ng refs\/heads\/main\/sub .*exists/s,
  ),
  push(
    'one ref where another one needs a folder',
    [command('refs/heads/main/sub', FIRST.oid)],
    /'refs\/heads\/main' exists/,
  ),
  push(
    'one ref below another one that stays, because deleting it is refused',
    [command('refs/heads/main', NO_OID, FIRST.oid), command('refs/heads/main/sub', FIRST.oid)],
    /ng refs\/heads\/main\/sub .*'refs\/heads\/main' exists/,
  ),
  push(
    'one ref below another one that stays, because its old id is stale',
    [command('refs/heads/main', NO_OID, other), command('refs/heads/main/sub', FIRST.oid)],
    /ng refs\/heads\/main\/sub .*'refs\/heads\/main' exists/,
  ),
  push(
    'all or none, of which one is refused',
    [
      command('refs/heads/fine', FIRST.oid, NO_OID, `${PUSH_CAPABILITIES} atomic`),
      command('refs/heads/main', FIRST.oid, other),
    ],
    /ng refs\/heads\/fine atomic.*ng refs\/heads\/main .*changed/s,
  ),
  push(
    'one command more than the limit',
    ['a', 'b', 'c', 'd'].map((name) => command(`refs/heads/${name}`, FIRST.oid)),
    /Too many commands.*max_push_commands.* 3$/m,
  ),
]

const raw = (name: string, body: Buffer | string, reason: RegExp): BadCommand => ({
  name,
  body: Buffer.from(body),
  reason,
})
const good = command('refs/heads/bad', FIRST.oid)
const CRASH_PACKS: readonly (readonly [hex: string, reason: RegExp])[] = [
  ['5041434b0000000200000000', /ends too early/],
  [`5041434b000000020000000131${'00'.repeat(10)}`, /ends too early/],
  [`5041434b0000000200000001bf${'ff'.repeat(20)}${'00'.repeat(24)}`, /impossible size/],
  [`5041434b0000000200000001b0808080808002${'00'.repeat(30)}`, /max_object_size|declares/],
  [`5041434b00000002ffffffff${'00'.repeat(20)}`, /max_pack_objects/],
]

const LINES: BadCommand[] = [
  raw('nothing', '', /ends before its commands/),
  raw('one byte', '0', /ends inside a line/),
  raw('a length of +00a', '+00a refs/', /valid length/),
  raw('a length of 0003', '0003', /valid length/),
  raw('a length of ffff', `ffff${'a'.repeat(70_000)}`, /valid length/),
  raw('a length of fff1', `fff1${'a'.repeat(70_000)}`, /valid length/),
  raw('a length with a space', ' 0a4', /valid length/),
  raw('a line that ends early', good.subarray(0, -5), /ends inside a line/),
  raw('commands without an end', good, /ends before its commands/),
  raw('a delimiter', Buffer.concat([good, Buffer.from('0001'), FLUSH]), /malformed/),
  raw('an empty line', Buffer.concat([Buffer.from('0004'), FLUSH]), /malformed/),
  raw('words', Buffer.concat([pkt('want everything'), FLUSH]), /malformed/),
  raw(
    'ids in capitals',
    Buffer.concat([pkt(`${NO_OID} ${'A'.repeat(40)} refs/heads/a\0report-status`), FLUSH]),
    /object id/,
  ),
  raw(
    'ids of 64 digits',
    Buffer.concat([pkt(`${'0'.repeat(64)} ${'1'.repeat(64)} refs/heads/a\0report-status object-format=sha1`), FLUSH]),
    /object id/,
  ),
  raw(
    'the format sha256',
    pushBody([command('refs/heads/a', FIRST.oid, NO_OID, `${PUSH_CAPABILITIES} object-format=sha256`)]),
    /object formats other than sha1/,
  ),
  raw(
    'a signed push',
    Buffer.concat([pkt(`push-cert\0${PUSH_CAPABILITIES} push-cert=nonce`), pkt('certificate version 0.1\n'), FLUSH]),
    /signed pushes/,
  ),
  raw(
    'more capabilities than anybody has',
    pushBody([command('refs/heads/a', FIRST.oid, NO_OID, 'x '.repeat(200))]),
    /capabilities/,
  ),
  raw('random bytes', Buffer.concat([Buffer.from('00'), randomBytes(50_000)]), /valid length|ends inside|malformed/),
  ...CRASH_PACKS.map(([hex, reason]) =>
    raw(`the crash input ${hex.slice(0, 40)} after commands`, pushBody([good], Buffer.from(hex, 'hex')), reason),
  ),
]

export const BAD_COMMANDS: readonly BadCommand[] = [...BAD_NAMES, ...TARGETS, ...OLD_IDS, ...SETS, ...LINES]

/** The crash inputs of an earlier implementation as they were (DESIGN §11): bodies after a flush. */
export const CRASH_INPUTS: readonly { readonly name: string; readonly body: Buffer }[] = CRASH_PACKS.map(([hex]) => ({
  name: hex.slice(0, 40),
  body: Buffer.concat([FLUSH, Buffer.from(hex, 'hex')]),
}))
