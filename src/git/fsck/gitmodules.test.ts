import assert from 'node:assert/strict'
import { describe, test } from 'vitest'

import { parseConfig } from './config-parser.ts'
import type { FsckId } from './error.ts'
import { checkGitmodules } from './gitmodules.ts'
import { blob, gitFsck, gitIndexPackAccepts, GROUND, oidOf, tree } from './testing.ts'

interface Row {
  readonly name: string
  readonly text: string
  readonly id?: FsckId
}

const url = (value: string) => `[submodule "a"]\n\turl = ${value}\n`

const SYNTAX: readonly Row[] = [
  { name: 'nothing', text: '' },
  { name: 'a submodule as git writes it', text: '[submodule "a"]\n\tpath = a\n\turl = https://example.com/a.git\n' },
  { name: 'a section of another kind', text: '[core]\n\turl = -x\n' },
  { name: 'a key outside of any section', text: 'url = -x\n' },
  { name: 'a submodule without a name', text: '[submodule]\n\turl = -x\n' },
  { name: 'the old way to write a name', text: '[submodule.A]\n\turl = -x\n', id: 'gitmodulesUrl' },
  { name: 'a section in capitals', text: '[SubModule "a"]\n\tURL = -x\n', id: 'gitmodulesUrl' },
  { name: 'a key on the line of the section', text: '[submodule "a"] url = -x', id: 'gitmodulesUrl' },
  {
    name: 'spaces and a comment around all',
    text: ' # x\n[submodule   "a"] ; y\n  url  =  -x  # z',
    id: 'gitmodulesUrl',
  },
  { name: 'a comment instead of a value', text: url('# -x') },
  { name: 'a comment sign in quotes', text: url('"-#x"'), id: 'gitmodulesUrl' },
  { name: 'quotes around a part', text: url('""-x'), id: 'gitmodulesUrl' },
  { name: 'a value over two lines', text: url('\\\n-x'), id: 'gitmodulesUrl' },
  { name: 'CR LF as ends of lines', text: '[submodule "a"]\r\n\turl = \\\r\n-x\r\n', id: 'gitmodulesUrl' },
  { name: 'a CR alone', text: url('\r-x'), id: 'gitmodulesUrl' },
  { name: 'a key without a value', text: '[submodule "a"]\nurl\npath\nupdate\n' },
  { name: 'half a mark of byte order', text: `\xef\xbb${url('-x')}` },
  { name: 'a mistake after the bad value', text: `${url('-x')}[`, id: 'gitmodulesUrl' },
  { name: 'a mistake before the bad value', text: `[\n${url('-x')}` },
  { name: 'a key that begins with a digit', text: `[submodule "a"]\n1 = 1\nurl = -x\n` },
  { name: 'a value that does not end', text: url('"-x') },
  { name: 'an escape that git does not know', text: url('-\\x') },
  { name: 'an escaped quote', text: url('-\\"'), id: 'gitmodulesUrl' },
  { name: 'a quote in the name', text: '[submodule "a\\"b"]\nurl = -x\n', id: 'gitmodulesUrl' },
  { name: 'a name over two lines', text: '[submodule "a\n"]\nurl = -x\n' },
  { name: 'something after the name', text: '[submodule "a" ]\nurl = -x\n' },
  { name: 'a NUL in the value', text: url('\0-x') },
  { name: 'a NUL before what would be bad', text: url('https://h/x\0%0a') },
  { name: 'a dash alone', text: url('-'), id: 'gitmodulesUrl' },
  { name: 'a NUL after the bad value', text: url('-\0'), id: 'gitmodulesUrl' },
  { name: 'a NUL in the name', text: '[submodule "..\0"]\nurl = -x\n' },
  { name: 'a NUL in a name that ends with a key', text: '[submodule "x.url\0"]\nother = -x\n', id: 'gitmodulesUrl' },
  { name: 'a NUL in a name without a dot', text: '[submodule "x\0"]\nurl = -x\n' },
  { name: 'a NUL in a name that begins with a key', text: '[submodule ".y\0"]\nother = x\n', id: 'gitmodulesName' },
  { name: 'a NUL in a bad name', text: '[submodule "../x.y\0"]\nother = x\n', id: 'gitmodulesName' },
]

const NAMES: readonly Row[] = [
  ...['a', 'a/b', '...', 'a..', '..a', 'a/..b', 'a.b.c', 'a\\\\b'].map((name) => ({ name, ok: true })),
  ...['', '..', '../a', 'a/..', 'a/../b', '..\\\\a', 'a\\\\..', 'a\\\\..\\\\b'].map((name) => ({ name, ok: false })),
].map(({ name, ok }) => ({
  name: `the name ${JSON.stringify(name)}`,
  text: `[submodule "${name}"]\n\tpath = x\n`,
  ...(ok ? {} : { id: 'gitmodulesName' as const }),
}))

const VALUES: readonly Row[] = [
  { name: 'a bad name without any key', text: '[submodule ".."]\n' },
  { name: 'a bad name with a key without a value', text: '[submodule ".."]\nx\n', id: 'gitmodulesName' },
  {
    name: 'a bad value in the second of two sections',
    text: `${url('x')}[submodule "b"]\npath = -b\n`,
    id: 'gitmodulesPath',
  },
  { name: 'a path like an option', text: '[submodule "a"]\npath = --all\n', id: 'gitmodulesPath' },
  { name: 'a path with a dash inside', text: '[submodule "a"]\npath = a-b\n' },
  { name: 'an update by command', text: '[submodule "a"]\nupdate = !ls\n', id: 'gitmodulesUpdate' },
  { name: 'a branch by command, which is a name to git', text: '[submodule "a"]\nbranch = !ls\n' },
  { name: 'a fine value after a bad one', text: `${url('-x')}path = a\n`, id: 'gitmodulesUrl' },
  { name: 'an update by merge', text: '[submodule "a"]\nupdate = merge\n' },
  { name: 'an update that git does not know', text: '[submodule "a"]\nupdate = x\n' },
]

const URLS_FINE = [
  'x user@host:path ssh://-x/y file:///x ./a ../a ../../a .. . git://x/%0 %0ax https://example.com/ http://example.com',
  'https://a@example.com/x https://a:b@example.com/x https://h/a:%0 https::https://h/x https://h%00/ svn::x',
  'httpx://%0a/ git::../%0a ...//x ssh://x/%0a ../a:b .//a ./:a http:/x a%0a:../b https://u%3a:@h/ https://h/%0',
  'https://h/%0a:x https://h%0a:8/ https://h/a%0a:b https://h:8/%0a:x https://a:%0a:@h/ xx/%0a x/%0a',
].flatMap((line) => line.split(' '))
const URLS_REFUSED = [
  String.raw`-x ../:a ..//a ..\\/a ./../:a ../%0a ./x%0Ay "../\n" git://x/%0a https:// https:///x http://?x http://#`,
  String.raw`https://@/x https://a@/x ftp:// https::x https::://x http:: ftps::https:///x https://h/%0a https://%0a@h/`,
  String.raw`https://a:%0a@h/ https://h/:%0a https://h/:x/%0A "https::h\nttp://h/" "https://h/\n:x" https://h?%0a https://a%0a:b@h/`,
].flatMap((line) => line.split(' '))
const URLS: readonly Row[] = [
  ...URLS_FINE.map((text) => ({ text, ok: true })),
  ...URLS_REFUSED.map((text) => ({ text, ok: false })),
].map(({ text, ok }) => ({
  name: `the URL ${text}`,
  text: url(text),
  ...(ok ? {} : { id: 'gitmodulesUrl' as const }),
}))

const SUITES = { syntax: SYNTAX, names: NAMES, values: VALUES, URLs: URLS }

const objectsOf = ({ text }: Row) => {
  const file = blob(Buffer.from(text, 'latin1'))
  return { file, objects: [file, tree({ name: '.gitmodules', oid: oidOf(file) })] }
}
const complaints = gitFsck([
  ...GROUND,
  ...Object.values(SUITES).flatMap((rows) => rows.flatMap((row) => objectsOf(row).objects)),
])

for (const [suite, rows] of Object.entries(SUITES)) {
  describe(`${suite} in .gitmodules, judged as git fsck --strict and git index-pack --strict do`, () => {
    for (const row of rows) {
      test(`${row.name}: ${row.id ?? 'fine'}`, () => {
        const { file, objects } = objectsOf(row)
        assert.equal(checkGitmodules(file.data), row.id)
        const ids = complaints.get(oidOf(file))
        assert.deepEqual(Array.from(ids ?? []), row.id === undefined ? [] : [row.id])
        assert.equal(gitIndexPackAccepts([...GROUND, ...objects]), row.id === undefined)
      })
    }
  })
}

describe('of several things that are wrong, the first is named, as git names it first', () => {
  const name = '[submodule ".."]\n'
  const rows: readonly { readonly text: string; readonly ids: readonly FsckId[] }[] = [
    { text: `${url('-x')}${name}path = -b\n`, ids: ['gitmodulesUrl', 'gitmodulesName', 'gitmodulesPath'] },
    { text: `${name}path = -b\n${url('-x')}`, ids: ['gitmodulesName', 'gitmodulesPath', 'gitmodulesUrl'] },
    { text: '[submodule "a"]\nupdate = !ls\nurl = -x\n', ids: ['gitmodulesUpdate', 'gitmodulesUrl'] },
  ]
  const said = gitFsck([...GROUND, ...rows.flatMap(({ text }) => objectsOf({ name: text, text }).objects)])
  test.each(rows)('$ids', ({ text, ids }) => {
    const { file } = objectsOf({ name: text, text })
    assert.equal(checkGitmodules(file.data), ids[0])
    assert.deepEqual(Array.from(said.get(oidOf(file)) ?? []), ids)
  })
})

describe('what would exhaust a simpler checker', () => {
  const rows: readonly Row[] = [
    { name: 'megabytes of ./', text: url(`${'./'.repeat(8_000_000)}:`) },
    { name: 'megabytes of ../', text: url(`${'../'.repeat(8_000_000)}:`), id: 'gitmodulesUrl' },
    { name: 'megabytes of slashes', text: url(`https://h${'/'.repeat(16_000_000)}%0a`), id: 'gitmodulesUrl' },
    // To check the name for each value would take 40 minutes: 2.5 ms a million times.
    {
      name: 'a long name with a million values',
      text: `[submodule "${'./'.repeat(2_500_000)}.."]${'\nx'.repeat(1_000_000)}`,
      id: 'gitmodulesName',
    },
    {
      name: 'a long name that is fine, with as many',
      text: `[submodule "${'./'.repeat(2_500_000)}x"]${'\nx=-'.repeat(1_000_000)}`,
    },
  ]
  for (const { name, text, id } of rows) {
    test(name, () => {
      assert.equal(checkGitmodules(Buffer.from(text, 'latin1')), id)
    })
  }
})

describe('what git reads in another way on another processor is refused if either would', () => {
  const rows: readonly Row[] = [
    { name: 'a mark of byte order, which x86 does not know', text: `\xef\xbb\xbf${url('-x')}`, id: 'gitmodulesUrl' },
    { name: 'a byte that only x86 takes for the end', text: `[submodule ".."]\na\xff\n`, id: 'gitmodulesName' },
    { name: 'a value behind a byte that x86 takes for the end', text: `\xff\n${url('x')}` },
    { name: 'a value behind such a byte in a value', text: `${url('\xff')}path = -x\n`, id: 'gitmodulesPath' },
    { name: 'a CR before such a byte', text: `[submodule "a"]\npath = \r\xff-x\n`, id: 'gitmodulesPath' },
    { name: 'such a byte in fine values', text: `${url('\xff')}path = x\xff\n` },
  ]
  const all = gitFsck(rows.flatMap((row) => objectsOf(row).objects))
  for (const row of rows) {
    test(`${row.name}: ${row.id ?? 'fine'}`, () => {
      const { file } = objectsOf(row)
      assert.equal(checkGitmodules(file.data), row.id)
      assert.ok(Array.from(all.get(oidOf(file)) ?? []).every((id) => id === row.id))
    })
  }
})

test('the parser says whether it came to the end', () => {
  const visitor = { onSection: () => {}, onValue: () => {} }
  assert.equal(parseConfig(Buffer.from('[a]\nb = c\n'), 'signed', visitor), true)
  assert.equal(parseConfig(Buffer.from('[a]\nb = "c\n'), 'signed', visitor), false)
})
