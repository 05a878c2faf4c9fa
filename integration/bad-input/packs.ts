/** Packs that no server may take, each with what the pusher is to read. */
import { randomBytes } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import { encodeEntryHeader } from '../../src/git/pack/header.ts'
import {
  blob,
  commit,
  delta,
  makeObject,
  ofsDelta,
  pack,
  rawDelta,
  rawEntry,
  refDelta,
  tag,
  tree,
  whole,
  withChecksum,
} from '../support/pack-maker.ts'
import { FIRST, HELLO, LIMITS, MB, MISSING, objects, TREE } from './fixture.ts'

export interface BadPack {
  readonly name: string
  readonly pack: Buffer
  readonly reason: RegExp
  /** What the ref is to point to; else what is here already. */
  readonly tip?: string
  /** Whether `git index-pack --strict` is of our opinion; limits are our own. */
  readonly cGit: 'refuses' | 'has no opinion'
}

const NEW = blob('new contents\n')
const NEW_TREE = tree(['100644', 'new', NEW.oid])
const NEW_COMMIT = commit(NEW_TREE.oid, [FIRST.oid])
const GOOD = pack([
  ...objects(NEW, NEW_TREE, NEW_COMMIT),
  refDelta(HELLO.oid, delta(HELLO.data.length, 'hello world\n')),
])

const refuses = (name: string, bytes: Buffer, reason: RegExp, tip?: string): BadPack => ({
  name,
  pack: bytes,
  reason,
  ...(tip === undefined ? {} : { tip }),
  cGit: 'refuses',
})
const overLimit = (name: string, bytes: Buffer, reason: RegExp): BadPack => ({
  name,
  pack: bytes,
  reason,
  cGit: 'has no opinion',
})

const TRUNCATED = [0, 1, 4, 8, 11, 12, 13, 20, 31, 32, 33, 60, GOOD.length - 21, GOOD.length - 20, GOOD.length - 1]

const FRAMING: BadPack[] = [
  ...TRUNCATED.map((length) =>
    refuses(
      `a pack that ends after ${length} of its ${GOOD.length} bytes`,
      GOOD.subarray(0, length),
      /unpack .*(ends|damaged|checksum|holds)/,
    ),
  ),
  refuses('a wrong checksum', Buffer.concat([GOOD.subarray(0, -1), Buffer.of((GOOD.at(-1) ?? 0) ^ 1)]), /checksum/),
  refuses(
    'bytes between the last entry and the checksum',
    withChecksum(Buffer.concat([pack(objects(NEW)).subarray(0, -20), Buffer.from('tail')])),
    /4 bytes follow/,
  ),
  // C git leaves them unread, as it does over pipes.
  {
    name: 'bytes after the checksum',
    pack: Buffer.concat([GOOD, Buffer.from('tail')]),
    reason: /bytes follow/,
    cGit: 'has no opinion',
  },
  refuses('more objects declared than there are', pack(objects(NEW), 2), /ends too early/),
  refuses('fewer objects declared than there are', pack(objects(NEW, MISSING), 1), /bytes follow/),
  refuses('not a pack', Buffer.from('NOPE'.repeat(20)), /does not begin with PACK/),
  refuses('pack version 3 of the future', withChecksum(Buffer.from('PACK\0\0\0\x04\0\0\0\0', 'latin1')), /version 4/),
]

const longHeader = Buffer.concat([Buffer.of(0xbf), Buffer.alloc(12, 0xff), Buffer.of(0x01)])

const ENTRIES: BadPack[] = [
  refuses('an entry of type 0', pack([rawEntry(0, NEW.data)]), /type 0/),
  refuses('an entry of type 5', pack([rawEntry(5, NEW.data)]), /type 5/),
  refuses('an entry that declares one byte more than it holds', pack([whole(NEW, NEW.data.length + 1)]), /declares/),
  refuses('an entry that declares one byte less than it holds', pack([whole(NEW, NEW.data.length - 1)]), /declares/),
  refuses('a size of more than 64 bits', pack([Buffer.concat([longHeader, deflateSync(NEW.data)])]), /impossible size/),
  refuses(
    'an entry that is no zlib stream',
    pack([Buffer.concat([encodeEntryHeader(3, 20), randomBytes(40).fill(0x11, 0, 2)])]),
    /damaged/,
  ),
  refuses('a zlib stream whose own checksum is wrong', pack([damagedAdler()]), /damaged/),
  refuses('one object twice', pack(objects(NEW, NEW)), /twice/),
]

/** The last four bytes of a zlib stream sum up what it holds. */
function damagedAdler(): Buffer {
  const entry = Buffer.from(whole(NEW))
  entry[entry.length - 1] = (entry.at(-1) ?? 0) ^ 0xff
  return entry
}

const helloSize = HELLO.data.length
const newEntry = whole(NEW)
const cyclic = blob('one of two\n')

const DELTAS: BadPack[] = [
  refuses('a delta on itself: offset 0', pack([ofsDelta(0, delta(0, 'x'))]), /where no entry begins/),
  refuses(
    'an offset beyond the start of the pack',
    pack([newEntry, ofsDelta(100_000, delta(1, 'x'))]),
    /where no entry begins/,
  ),
  refuses(
    'an offset into the header of the pack',
    pack([newEntry, ofsDelta(newEntry.length + 6, delta(1, 'x'))]),
    /where no entry begins/,
  ),
  refuses(
    'an offset into the middle of an entry',
    pack([newEntry, ofsDelta(newEntry.length - 3, delta(NEW.data.length, 'x'))]),
    /where no entry begins/,
  ),
  refuses('a base that is nowhere', pack([refDelta(MISSING.oid, delta(MISSING.data.length, 'x'))]), /no base here.*/),
  refuses(
    'two deltas, each on what the other one would make',
    pack([refDelta(blob('b').oid, delta(1, 'a')), refDelta(blob('a').oid, delta(1, 'b'))]),
    /2 deltas have no base/,
  ),
  refuses(
    'a delta on what it makes itself',
    pack([refDelta(cyclic.oid, delta(cyclic.data.length, cyclic.data))]),
    /no base/,
  ),
  refuses(
    'a delta for a base of another size',
    pack([refDelta(HELLO.oid, delta(helloSize + 1, 'x'))]),
    /base of 7 bytes/,
  ),
  refuses(
    'a delta that makes more than it declares',
    pack([refDelta(HELLO.oid, delta(helloSize, 'abc', 2))]),
    /more than it declares/,
  ),
  refuses(
    'a delta that makes less than it declares',
    pack([refDelta(HELLO.oid, delta(helloSize, 'abc', 4))]),
    /declares 4 bytes and makes 3/,
  ),
  refuses(
    'a copy from beyond the base',
    pack([refDelta(HELLO.oid, rawDelta(helloSize, 9, [0x91, 1, 9]))]),
    /beyond the base/,
  ),
  refuses(
    'an insertion that runs past its delta',
    pack([refDelta(HELLO.oid, rawDelta(helloSize, 9, [9, 1]))]),
    /past its end/,
  ),
  refuses(
    'a copy that runs past its delta',
    pack([refDelta(HELLO.oid, rawDelta(helloSize, 9, [0xff, 1]))]),
    /past its end|beyond/,
  ),
  refuses('the reserved instruction', pack([refDelta(HELLO.oid, rawDelta(helloSize, 1, [0]))]), /reserved/),
  refuses('a delta that is empty', pack([refDelta(HELLO.oid, Buffer.alloc(0))]), /inside its sizes/),
  refuses('a delta whose sizes never end', pack([refDelta(HELLO.oid, Buffer.alloc(40, 0xff))]), /impossible/),
]

const absent = 'is neither in it nor here|is named by an object of the pack and is neither'
const GRAPH: BadPack[] = [
  refuses('a tree whose blob is missing', pack(objects(NEW_TREE, NEW_COMMIT)), new RegExp(absent), NEW_COMMIT.oid),
  refuses('a commit whose tree is missing', pack(objects(NEW_COMMIT)), new RegExp(absent), NEW_COMMIT.oid),
  refuses('a commit whose parent is missing', pack(objects(commit(TREE.oid, [MISSING.oid]))), new RegExp(absent)),
  refuses('a tag of something missing', pack(objects(tag(MISSING.oid, 'commit'))), new RegExp(absent)),
  refuses('a tree named as the parent of a commit', pack(objects(commit(TREE.oid, [TREE.oid]))), /both as a/),
  refuses('a blob named as the tree of a commit', pack(objects(commit(HELLO.oid))), /both as a/),
  refuses('a commit named as a blob of a tree', pack(objects(tree(['100644', 'a', FIRST.oid]))), /both as a/),
  refuses('a blob of the pack named as a subtree', pack(objects(NEW, tree(['40000', 'a', NEW.oid]))), /both as a/),
  refuses('a tag that names a commit as a blob', pack(objects(tag(FIRST.oid, 'blob'))), /both as a/),
]

const noAuthor = makeObject('commit', `tree ${TREE.oid}\ncommitter A <a@b> 1 +0000\n\nno author\n`)
const FSCK: BadPack[] = [
  refuses(
    'a tree that is not sorted',
    pack(objects(tree(['100644', 'b', HELLO.oid], ['100644', 'a', HELLO.oid]))),
    /treeNotSorted/,
  ),
  refuses(
    'a tree with one name twice',
    pack(objects(tree(['100644', 'a', HELLO.oid], ['100644', 'a', HELLO.oid]))),
    /duplicateEntries/,
  ),
  refuses('a file named .git', pack(objects(tree(['100644', '.git', HELLO.oid]))), /hasDotgit/),
  refuses('a file named ..', pack(objects(tree(['100644', '..', HELLO.oid]))), /hasDotdot/),
  refuses('a file named .GIT in other letters', pack(objects(tree(['100644', '.GiT', HELLO.oid]))), /hasDotgit/),
  refuses('a path of two parts in one name', pack(objects(tree(['100644', 'a/b', HELLO.oid]))), /fullPathname/),
  refuses('a mode with a leading zero', pack(objects(tree(['0100644', 'a', HELLO.oid]))), /zeroPaddedFilemode/),
  refuses('a tree that ends inside an entry', pack(objects(makeObject('tree', '100644 a\0short'))), /badTree|ends/),
  refuses('a commit without an author', pack(objects(noAuthor)), /missingAuthor/),
  refuses('an empty commit object', pack(objects(makeObject('commit', ''))), /unterminatedHeader|missingTree/),
  refuses(
    'a tag of an unknown type',
    pack(objects(makeObject('tag', `object ${FIRST.oid}\ntype goblin\ntag v\n\nx\n`))),
    /badType/,
  ),
]

const chain = (length: number): Buffer[] => {
  const entries = [whole(blob('0'))]
  for (let number = 1; number <= length; number++) {
    entries.push(ofsDelta((entries.at(-1) as Buffer).length, delta(1, String(number))))
  }
  return entries
}
const bomb = (bytes: number): Buffer => rawEntry(3, Buffer.alloc(bytes))
const manyBlobs = (count: number): Buffer[] => Array.from({ length: count }, (_, at) => whole(blob(`number ${at}`)))

export const DEPTH_AT_LIMIT = pack(chain(LIMITS.GUTS_MAX_DELTA_DEPTH))
export const OBJECTS_AT_LIMIT = pack(manyBlobs(LIMITS.GUTS_MAX_PACK_OBJECTS))
export const OBJECT_AT_LIMIT = pack([bomb(MB)])
export const INFLATED_AT_LIMIT = pack([bomb(MB), rawEntry(3, Buffer.alloc(MB, 1))])

const copyAll = Array.from({ length: 17 }, () => [0xf0, 0, 0, 1]).flat()
const BUDGETS: BadPack[] = [
  overLimit('one object more than a pack may have', pack(manyBlobs(21)), /max_pack_objects.* 20$/m),
  overLimit('four thousand million objects declared', pack([], 0xffff_ffff), /max_pack_objects.* 20$/m),
  overLimit('an object of one byte more than the limit', pack([bomb(MB + 1)]), /max_object_size.* 1048576 bytes/),
  overLimit('a size of a petabyte', pack([rawEntry(3, NEW.data, 2 ** 50)]), /max_object_size.* 1048576 bytes/),
  overLimit(
    'two objects of one byte more than all may inflate to',
    pack([bomb(MB), bomb(MB - 1), whole(blob('xx'))]),
    /max_inflated_size.* 2097152 bytes/,
  ),
  overLimit(
    'a delta that declares a result over the limit',
    pack([refDelta(HELLO.oid, rawDelta(helloSize, MB + 1, [1, 65]))]),
    /max_object_size.* 1048576 bytes/,
  ),
  overLimit(
    'a delta that blows a block up by copying it',
    pack([
      whole(blob(Buffer.alloc(65_536))),
      refDelta(blob(Buffer.alloc(65_536)).oid, rawDelta(65_536, 17 * 65_536, copyAll)),
    ]),
    /max_object_size.* 1048576 bytes/,
  ),
  overLimit('a chain of one delta more than the limit', pack(chain(4)), /max_delta_depth.* 3$/m),
]

export const BAD_PACKS: readonly BadPack[] = [...FRAMING, ...ENTRIES, ...DELTAS, ...GRAPH, ...FSCK, ...BUDGETS]
export const GOOD_PACK = GOOD
export const GOOD_TIP = NEW_COMMIT.oid
