/** Inputs for branches that neither git's own bytes nor the fuzzer come upon: each is there for the lines it names. */
import { blob, delta, ofsDelta, pack, rawEntry, refDelta, whole } from '../../integration/support/pack-maker.ts'
import { DELIM, FLUSH } from '../../src/git/pkt-line.ts'
import { ENTRY_TYPE } from '../../src/git/pack/header.ts'
import { entry, file, hex, lines, NO_OID, OID, packIndex, text, TREE_OID } from '../advisories/makers.ts'
import { KINDS } from '../targets/object.fuzz.ts'

type Inputs = Readonly<Record<string, () => Buffer>>

const WHO = 'A <a@example.org> 1600000000 +0000'
const AUTHOR = `author ${WHO}\n`

function objects(kind: string, contents: Inputs): Inputs {
  const kindByte = Buffer.of(KINDS.indexOf(kind))
  return Object.fromEntries(
    Object.entries(contents).map(([name, make]) => [name, () => Buffer.concat([kindByte, make()])]),
  )
}

const after = (first: string, make: () => Buffer) => () => Buffer.concat([Buffer.from(first, 'latin1'), make()])

/** Blobs of the numbers from 0 on. */
const numbers = (count: number): Buffer[] => Array.from({ length: count }, (_, at) => whole(blob(`${at}`)))

/** Deltas by name, each before its base, so that none can be applied as it comes. */
function backwards(deltas: number): Buffer {
  const made = Array.from({ length: deltas + 1 }, (_, at) => blob(`the object ${at}`))
  const entries = made.slice(1).map(({ data }, at) => {
    const { oid, data: base } = made[at] ?? blob('')
    return refDelta(oid, delta(base.length, data))
  })
  return pack([...entries.toReversed(), whole(made[0] ?? blob(''))])
}

/** On one base, which comes last, several deltas, and a delta on each of those. */
function bushes(): Buffer {
  const base = blob('the base of all')
  const entries = ['a', 'b', 'c'].flatMap((name) => {
    const [middle, top] = [blob(`the middle ${name}`), blob(`the top ${name}`)]
    const onBase = refDelta(base.oid, delta(base.data.length, middle.data))
    // By distance on what is not known yet.
    return [onBase, ofsDelta(onBase.length, delta(middle.data.length, top.data))]
  })
  return pack([...entries, whole(base)])
}

/** Incompressible, the same for the same seed. */
function noise(bytes: number, seed: number): Buffer {
  let state = seed
  return Buffer.from(
    Uint8Array.from({ length: bytes }, () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) >>> 24),
  )
}

const CLASSES = 'alnum alpha blank cntrl digit graph lower print punct space upper xdigit'.split(' ')

/** Every class is asked about the character, and matches nothing. */
function inClasses(character: string): () => Buffer {
  const patterns = CLASSES.map((name) => `[[:${name}:]]z`).join('\n')
  return () => Buffer.concat([text(patterns), Buffer.of(0xff), Buffer.from(`${character}y`, 'latin1')])
}

const v2Fetch = (...said: readonly string[]) => Buffer.concat([lines('command=fetch'), DELIM, lines(...said), FLUSH])

/** Target → its inputs, by what each is there for. */
export const REACHING: Readonly<Record<string, Inputs>> = {
  object: {
    ...objects('commit', {
      'two authors': () => text(`tree ${TREE_OID}\n${AUTHOR}${AUTHOR}committer ${WHO}\n\nm\n`),
      'a NUL in its message': () => text(`tree ${TREE_OID}\n${AUTHOR}committer ${WHO}\n\nm\0\n`),
      'a date of 21 digits': () => text(`tree ${TREE_OID}\nauthor A <a@b> ${'1'.repeat(21)} +0000\n\nm\n`),
      'a date below zero': () => text(`tree ${TREE_OID}\nauthor A <a@b> -${'1'.repeat(17)} +0000\n\nm\n`),
      'a date that turns round': () => text(`tree ${TREE_OID}\nauthor A <a@b> -18446744073709551000 +0000\n\nm\n`),
    }),
    ...objects('tag', { 'shorter than any tag': () => text(`object ${OID}\ntype tag\ntag \n`) }),
    ...objects('gitmodules', {
      'a mark of its byte order': () => Buffer.concat([hex('efbbbf'), text('[submodule "a"]\n\tpath = a\n')]),
      'a user and a password': () => text('[submodule "a"]\n\turl = https://a:b@example.org/a\n'),
    }),
    ...objects('tree', {
      'backslashes and a special file': () => file('a\\.gitmodules'),
      'backslashes and a link': () => entry('120000', 'a\\.gitmodules'),
      'backslashes and nothing special': () => file('a\\b'),
      'a file and a folder, with others between': () =>
        Buffer.concat([file('a'), file('a-'), file('a--'), entry('40000', 'a')]),
      'a folder of a longer name': () => Buffer.concat([file('a'), file('a-b!x'), entry('40000', 'a-b')]),
      'a folder of a longer name without a low letter': () =>
        Buffer.concat([file('a'), file('a-'), file('ab-x'), entry('40000', 'ab')]),
      ...Object.fromEntries(
        ['eda080', 'e08080', 'efbfbe', 'f0908080', 'f0808080', 'f4908080', 'f09080', 'f0908041', 'e28041'].map(
          (digits) => [
            `the bytes ${digits} behind a dot`,
            () => file(Buffer.concat([Buffer.from('.'), hex(digits), Buffer.from('x')])),
          ],
        ),
      ),
    }),
  },
  pack: {
    'as many objects as the limit': after('@', () => pack(numbers(4_096))),
    'deltas before their bases, too many': after('@', () => backwards(21)),
    'deltas before their bases': after('@', () => backwards(20)),
    'a base with several deltas that have deltas': after('@', bushes),
    'large objects, a smaller one after a larger': after('@', () =>
      pack(
        [60_000, 40_000, 65_000, 30_000].map((bytes) => rawEntry(ENTRY_TYPE.blob, Buffer.alloc(bytes, bytes % 251))),
      ),
    ),
    // As much as the limit allows, which does not get smaller: it is longer than the window.
    'objects that fill window and ring': after('@', () =>
      pack(Array.from({ length: 16 }, (_, at) => rawEntry(ENTRY_TYPE.blob, noise(65_536, at + 1)))),
    ),
  },
  inflate: { 'larger than many windows': after('\x01\0\0', () => noise(3_000, 7)) },
  'pack-index': {
    'names that begin alike': () => {
      const names = Array.from({ length: 40 }, (_, at) => `aaaaaaaa${at.toString(16).padStart(32, '0')}`)
      return packIndex(
        names,
        names.map((_, at) => 12 + at),
      )
    },
  },
  sparse: {
    'more steps than there may be': () =>
      Buffer.concat([Buffer.alloc(4_000, '?'), Buffer.of(0xff), Buffer.alloc(4_000, 'a')]),
    'a class that ends behind its escape': () => Buffer.concat([text('[\\'), Buffer.of(0xff), text('a')]),
    'a range that ends behind its escape': () => Buffer.concat([text('[a-\\'), Buffer.of(0xff), text('a')]),
    ...Object.fromEntries(
      [' ', '\t', '\r', '\v', '\x01', '\x7f', 'a', 'G', 'z', '5', '!', '\xe9'].map((character) => [
        `the character ${character.charCodeAt(0)} in all classes`,
        inClasses(character),
      ]),
    ),
  },
  'history-arguments': {
    'two types at once': () => text('filter combine:object:type=blob+object:type=tree'),
    'one type twice': () => text('filter combine:object:type=blob+object:type=blob'),
  },
  'upload-pack': {
    'refs by name': after('D', () => v2Fetch('want-ref refs/heads/a', 'want-ref refs/heads/b', 'done')),
    'a ref by name twice': after('D', () => v2Fetch('want-ref refs/heads/a', 'want-ref refs/heads/a')),
    'more objects than the limit': after('D', () =>
      Buffer.concat([
        lines('command=object-info'),
        DELIM,
        ...Array.from({ length: 65 }, () => lines(`oid ${NO_OID}`)),
        FLUSH,
      ]),
    ),
  },
}
