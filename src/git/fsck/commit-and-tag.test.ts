import assert from 'node:assert/strict'
import { describe, test } from 'vitest'

import { checkObject } from './check-object.ts'
import type { FsckId } from './error.ts'
import {
  blob,
  commit,
  FOLDER_OID,
  gitFsck,
  gitIndexPackAccepts,
  GROUND,
  oidOf,
  ROOT_OID,
  tag,
  type TestObject,
  UNREADABLE,
  WHO,
} from './testing.ts'

interface Row {
  readonly name: string
  readonly object: TestObject
  readonly id?: FsckId
  /** `git index-pack` goes on although it printed the error. */
  readonly indexPackForgets?: true
}

const TREE = `tree ${FOLDER_OID}\n`
const BY = `author ${WHO}\ncommitter ${WHO}\n`
const by = (who: string) => commit(`${TREE}author ${WHO}\ncommitter ${who}\n\nwhy\n`)
const at = (date: string) => by(`A <a@b.c> ${date}`)
const TAG = `object ${ROOT_OID}\ntype commit\ntag v1\n`

const IDENTITIES: readonly Row[] = [
  { name: 'an email without a name', object: by('<a@b.c> 1 +0000'), id: 'missingNameBeforeEmail' },
  { name: 'an empty name before a space', object: by(' <a@b.c> 1 +0000') },
  { name: 'a name with a closing bracket', object: by('A> <a@b.c> 1 +0000'), id: 'badName' },
  { name: 'no email', object: by('A'), id: 'missingEmail' },
  { name: 'a NUL in the name', object: by('A\0 <a@b.c> 1 +0000'), id: 'nulInHeader' },
  { name: 'an email that follows the name at once', object: by('A<a@b.c> 1 +0000'), id: 'missingSpaceBeforeEmail' },
  { name: 'an email in an email', object: by('A <a<b@c>> 1 +0000'), id: 'badEmail' },
  { name: 'an email that does not end', object: by('A <a@b.c 1 +0000'), id: 'badEmail' },
  { name: 'an empty email', object: by('A <> 1 +0000') },
  { name: 'a date that follows the email at once', object: by('A <a@b.c>1 +0000'), id: 'missingSpaceBeforeDate' },
  { name: 'no date', object: by('A <a@b.c>'), id: 'missingSpaceBeforeDate' },
  { name: 'an empty date', object: at(''), id: 'badDate' },
  { name: 'the first second of 1970', object: at('0 +0000') },
  { name: 'a date padded with zeros', object: at('01 +0000'), id: 'zeroPaddedDate' },
  { name: 'a date padded with zeros behind spaces', object: at('  01 +0000') },
  { name: 'a date with a plus', object: at('+1 +0000') },
  { name: 'a date before 1970', object: at('-1 +0000'), id: 'badDateOverflow' },
  { name: 'a sign without a date', object: at('- +0000'), id: 'badDate' },
  { name: 'a date behind a tab', object: at('\t1 +0000') },
  { name: 'a date behind a carriage return', object: at('\r1 +0000') },
  { name: 'a date behind the character before a tab', object: at('\b1 +0000'), id: 'badDate' },
  { name: 'a date behind the character after a carriage return', object: at('\x0e1 +0000'), id: 'badDate' },
  { name: 'a minus that wraps round all of 64 bits', object: at('-18446744073709551616 +0000'), id: 'badDateOverflow' },
  { name: 'a date of fifteen digits', object: at('999999999999999 +0000') },
  { name: 'a date of sixteen digits', object: at('9999999999999999 +0000') },
  { name: 'a date of fifteen digits before 1970', object: at('-999999999999999 +0000'), id: 'badDateOverflow' },
  { name: 'a date with the character before the digits', object: at('1/ +0000'), id: 'badDate' },
  { name: 'a date with the character after the digits', object: at('1: +0000'), id: 'badDate' },
  { name: 'a zone with a letter for its sign', object: at('1 x0000'), id: 'badTimezone' },
  { name: 'an email on the next line', object: by('A\n <a@b.c> 1 +0000'), id: 'missingEmail' },
  { name: 'zero with a minus', object: at('-0 +0000') },
  { name: 'the last second that fits 64 bits', object: at('9223372036854775807 +0000') },
  { name: 'one second later', object: at('9223372036854775808 +0000'), id: 'badDateOverflow' },
  { name: 'a date of 64 bits', object: at('18446744073709551615 +0000'), id: 'badDateOverflow' },
  { name: 'a date beyond 64 bits', object: at('18446744073709551616 +0000'), id: 'badDateOverflow' },
  { name: 'a date of a hundred digits', object: at(`${'9'.repeat(100)} +0000`), id: 'badDateOverflow' },
  { name: 'a minus that wraps round to a second after 1970', object: at('-18446744073709551615 +0000') },
  {
    name: 'a minus that wraps round to a date out of range',
    object: at('-9223372036854775808 +0000'),
    id: 'badDateOverflow',
  },
  { name: 'a date that is a word', object: at('now +0000'), id: 'badDate' },
  { name: 'a date with a fraction', object: at('1.5 +0000'), id: 'badDate' },
  { name: 'a date on the next line', object: at('\n1 +0000') },
  { name: 'no zone', object: at('1 '), id: 'badTimezone' },
  { name: 'a zone without a sign', object: at('1 0000'), id: 'badTimezone' },
  { name: 'a zone of three digits', object: at('1 +000'), id: 'badTimezone' },
  { name: 'a zone of five digits', object: at('1 +00000'), id: 'badTimezone' },
  { name: 'a zone out of this world', object: at('1 -9999') },
  { name: 'a space after the zone', object: at('1 +0000 '), id: 'badTimezone' },
]

const COMMITS: readonly Row[] = [
  { name: 'a root commit', object: commit(`${TREE}${BY}\nwhy\n`) },
  { name: 'two parents', object: commit(`${TREE}parent ${ROOT_OID}\nparent ${ROOT_OID}\n${BY}\nwhy\n`) },
  { name: 'ids in capitals', object: commit(`tree ${FOLDER_OID.toUpperCase()}\n${BY}\nwhy\n`) },
  { name: 'headers that git does not know', object: commit(`${TREE}${BY}encoding x\ngpgsig -\n -\n\nwhy\n`) },
  { name: 'no message', object: commit(`${TREE}${BY}`) },
  { name: 'an empty message', object: commit(`${TREE}${BY}\n`) },
  { name: 'a message without a line feed at its end', object: commit(`${TREE}${BY}\nwhy`) },
  { name: 'an empty header', object: commit('\n\nwhy'), id: 'missingTree' },
  { name: 'an empty header before a NUL', object: commit('\n\n\0'), id: 'missingTree' },
  { name: 'a NUL as the first byte', object: commit(`\0${TREE}${BY}\nwhy\n`), id: 'nulInHeader' },
  {
    name: 'a tree of the character before the letters',
    object: commit(`tree ${'@'.repeat(40)}\n${BY}\nwhy\n`),
    id: 'badTreeSha1',
  },
  {
    name: 'a tree of the character before the digits',
    object: commit(`tree ${'/'.repeat(40)}\n${BY}\nwhy\n`),
    id: 'badTreeSha1',
  },
  {
    name: 'a tree of the character after the digits',
    object: commit(`tree ${':'.repeat(40)}\n${BY}\nwhy\n`),
    id: 'badTreeSha1',
  },
  { name: 'nothing at all', object: commit(''), id: 'unterminatedHeader' },
  { name: 'a header that stops inside a line', object: commit(`${TREE}${BY}encoding x`), id: 'unterminatedHeader' },
  { name: 'a NUL in the header', object: commit(`${TREE}${BY}x \0\n\nwhy\n`), id: 'nulInHeader' },
  { name: 'a NUL in the message', object: commit(`${TREE}${BY}\nwhy\0\n`), id: 'nulInCommit' },
  { name: 'no tree', object: commit(`${BY}\nwhy\n`), id: 'missingTree' },
  { name: 'an empty line first', object: commit(`\n${TREE}${BY}\nwhy\n`), id: 'missingTree' },
  { name: 'a tree of 39 digits', object: commit(`tree ${'1'.repeat(39)}\n${BY}\nwhy\n`), id: 'badTreeSha1' },
  { name: 'a tree of 41 digits', object: commit(`tree ${'1'.repeat(41)}\n${BY}\nwhy\n`), id: 'badTreeSha1' },
  { name: 'a tree that is no hex', object: commit(`tree ${'g'.repeat(40)}\n${BY}\nwhy\n`), id: 'badTreeSha1' },
  { name: 'a parent that is no hex', object: commit(`${TREE}parent x\n${BY}\nwhy\n`), id: 'badParentSha1' },
  { name: 'no author', object: commit(`${TREE}committer ${WHO}\n\nwhy\n`), id: 'missingAuthor' },
  {
    name: 'a parent after the author',
    object: commit(`${TREE}author ${WHO}\nparent ${ROOT_OID}\n`),
    id: 'missingCommitter',
  },
  { name: 'two authors', object: commit(`${TREE}author ${WHO}\n${BY}\nwhy\n`), id: 'multipleAuthors' },
  { name: 'no committer', object: commit(`${TREE}author ${WHO}\n\nwhy\n`), id: 'missingCommitter' },
  { name: 'a bad author', object: commit(`${TREE}author A\ncommitter ${WHO}\n\nwhy\n`), id: 'missingEmail' },
]

const TAGS: readonly Row[] = [
  { name: 'a tag', object: tag(`${TAG}tagger ${WHO}\n\nwhy\n`) },
  { name: 'a tag without a tagger', object: tag(`${TAG}\nwhy\n`) },
  { name: 'a tag without a message', object: tag(`${TAG}tagger ${WHO}\n`) },
  { name: 'a name that no ref may have', object: tag(`object ${ROOT_OID}\ntype commit\ntag a..b\ntagger ${WHO}\n\n`) },
  { name: 'an empty name', object: tag(`object ${ROOT_OID}\ntype commit\ntag \ntagger ${WHO}\n\n`) },
  { name: 'a NUL in the message', object: tag(`${TAG}tagger ${WHO}\n\n\0\n`) },
  { name: 'a header after the tagger', object: tag(`${TAG}tagger ${WHO}\nmore x\n\nwhy\n`) },
  { name: 'a bad tagger', object: tag(`${TAG}tagger A\n\nwhy\n`), id: 'missingEmail' },
  {
    name: 'a bad tagger and a header after it',
    object: tag(`${TAG}tagger A\nmore x\n\nwhy\n`),
    id: 'missingEmail',
    indexPackForgets: true,
  },
  { name: 'no object', object: tag(`type commit\ntag v1\ntagger ${WHO}\n\nwhy\n`), id: 'missingObject' },
  {
    name: 'an object that is no hex',
    object: tag(`object x\ntype commit\ntag v1\ntagger ${WHO}\n\nwhy\n`),
    id: 'badObjectSha1',
  },
  { name: 'no type', object: tag(`object ${ROOT_OID}\ntag v1\ntagger ${WHO}\n\nwhy\n`), id: 'missingTypeEntry' },
  {
    name: 'a type that is none',
    object: tag(`object ${ROOT_OID}\ntype comm\ntag v1\ntagger ${WHO}\n\n`),
    id: 'badType',
  },
  { name: 'an empty type', object: tag(`object ${ROOT_OID}\ntype \ntag v1\ntagger ${WHO}\n\nwhy\n`), id: 'badType' },
  { name: 'no name', object: tag(`object ${ROOT_OID}\ntype commit\ntagger ${WHO}\n\nwhy\n`), id: 'missingTagEntry' },
  { name: 'a header that does not end', object: tag(`${TAG}tagger ${WHO}`), id: 'unterminatedHeader' },
  { name: 'a NUL in the header', object: tag(`${TAG}tagger ${WHO}\0\n\nwhy\n`), id: 'nulInHeader' },
  { name: 'a tag of 63 bytes', object: tag(`object ${'5'.repeat(40)}\ntype tag\ntag a\n`), id: 'tagTooShort' },
]

const BLOBS: readonly Row[] = [
  { name: 'what would be no tag', object: blob('object x\ntype y\n') },
  { name: 'nothing', object: blob('') },
]

const SUITES = { 'a blob': BLOBS, 'who and when': IDENTITIES, 'a commit': COMMITS, 'a tag': TAGS }
const complaints = gitFsck([...GROUND, ...Object.values(SUITES).flatMap((rows) => rows.map(({ object }) => object))])

for (const [suite, rows] of Object.entries(SUITES)) {
  describe(`${suite}, judged as git fsck --strict and git index-pack --strict do`, () => {
    for (const { name, object, id, indexPackForgets } of rows) {
      test(`${name}: ${id ?? 'fine'}`, () => {
        assert.equal(checkObject(object.type, object.data), id)
        const ids = complaints.get(oidOf(object))
        if (id === undefined) assert.equal(ids, undefined)
        // git's parser may refuse an object before fsck can name the reason.
        else
          assert.ok(ids?.has(id) === true || ids?.has(UNREADABLE) === true, `git says ${Array.from(ids ?? []).join()}`)
        assert.equal(gitIndexPackAccepts([...GROUND, object]), id === undefined || indexPackForgets === true)
      })
    }
  })
}
