import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, test } from 'vitest'
import { type CharSign, parseConfig } from './config-parser.ts'

/** Sections as they begin, values with the section before them, as `git config --list` shows them. */
function parse(text: string, charSign: CharSign = 'signed'): { fine: boolean; said: string[] } {
  const said: string[] = []
  let section = ''
  const fine = parseConfig(Buffer.from(text, 'latin1'), charSign, {
    onSection: (name) => (section = name),
    onValue: (key, value) => said.push(value === undefined ? `${section}.${key}` : `${section}.${key}\n${value}`),
  })
  return { fine, said }
}

/** What this machine's git reads of a file: there, unlike in a blob, it reads bytes without a sign. */
function gitReads(text: string): { fine: boolean; said: string[] } {
  const run = spawnSync('git', ['config', '--list', '-z', '--no-includes', '--file', '-'], {
    input: Buffer.from(text, 'latin1'),
  })
  return { fine: run.status === 0, said: run.stdout.toString('latin1').split('\0').filter(Boolean) }
}

const repository = mkdtempSync(join(tmpdir(), 'guts-config-parser-'))
spawnSync('git', ['init', '--quiet', '--bare', repository])
afterAll(() => rmSync(repository, { recursive: true }))

/** What it reads of a blob, as fsck does. */
function gitReadsBlob(text: string): { fine: boolean; said: string[] } {
  const input = Buffer.from(text, 'latin1')
  const oid = spawnSync('git', ['hash-object', '-w', '--stdin'], { cwd: repository, input }).stdout.toString().trim()
  const run = spawnSync('git', ['config', '--list', '-z', '--blob', oid], { cwd: repository })
  return { fine: run.status === 0, said: run.stdout.toString('latin1').split('\0').filter(Boolean) }
}

const FINE: readonly (readonly [text: string, ...said: string[]])[] = [
  [''],
  ['\n\n'],
  ['[a]'],
  ['[a]\n'],
  ['[a]b=c', 'a.b\nc'],
  ['[a]b = c\n', 'a.b\nc'],
  ['[a]\n\tb = c\n\td = e', 'a.b\nc', 'a.d\ne'],
  ['[a]b\n', 'a.b'],
  ['[a]b', 'a.b'],
  ['[a]b \t\n', 'a.b'],
  ['[a]b=\n', 'a.b\n'],
  ['[a]b=', 'a.b\n'],
  ['[A]B=C', 'a.b\nC'],
  ['[a.B]c=d', 'a.b.c\nd'],
  ['[a-1]b-2=c', 'a-1.b-2\nc'],
  ['[aZz9]zZ09=c', 'azz9.zz09\nc'],
  ['[a "B"]c=d', 'a.B.c\nd'],
  ['[a   \t"B"]c=d', 'a.B.c\nd'],
  ['[A "b c.d"]e=f', 'a.b c.d.e\nf'],
  ['[a ""]c=d', 'a..c\nd'],
  ['[a "\\"x\\\\y\\z"]c=d', 'a."x\\yz.c\nd'],
  ['[a "#;=[]"]c=d', 'a.#;=[].c\nd'],
  ['[a]b=c # d', 'a.b\nc'],
  ['[a]b=c;d\n', 'a.b\nc'],
  ['[a]b=#\n', 'a.b\n'],
  ['# x\n[a] ; y\nb=c', 'a.b\nc'],
  ['; [a]\n[b]c=d', 'b.c\nd'],
  ['[a]b="c # d"', 'a.b\nc # d'],
  ['[a]b= "c" \n', 'a.b\nc'],
  ['[a]b=" c "', 'a.b\n c '],
  ['[a]b=c  d\te \t\n', 'a.b\nc  d e'],
  ['[a]b=c "d" e', 'a.b\nc d e'],
  ['[a]b=" "\t " " \n', 'a.b\n    '],
  ['[a]b=c\\\n d\n', 'a.b\nc d'],
  ['[a]b=\\\n\\\nd\n', 'a.b\nd'],
  ['[a]b="c\\\nd"\n', 'a.b\ncd'],
  ['[a]b=\\t\\n\\b\\\\\\"', 'a.b\n\t\n\b\\"'],
  ['[a]b=c=d', 'a.b\nc=d'],
  ['[a]b=[c]', 'a.b\n[c]'],
  ['[a]b=c\r\nd=e\r\n', 'a.b\nc', 'a.d\ne'],
  ['[a]b=c\rd', 'a.b\nc d'],
  ['[a]b=c\r', 'a.b\nc'],
  ['[a]\r\nb\r\n', 'a.b'],
  ['[a]b=c[d]e=f', 'a.b\nc[d]e=f'],
  ['[a]b=c\n[d][e]f=g', 'a.b\nc', 'e.f\ng'],
  ['[a] b=c', 'a.b\nc'],
  ['[a]b=\xe9\xfe', 'a.b\n\xe9\xfe'],
  ['[a "\xe9"]b=c', 'a.\xe9.b\nc'],
  [`[a]${'k'.repeat(300)}=${'v'.repeat(300)}`, `a.${'k'.repeat(300)}\n${'v'.repeat(300)}`],
]

const BROKEN: readonly (readonly [text: string, ...said: string[]])[] = [
  ['['],
  ['[]'],
  ['[a'],
  ['[a\n]'],
  ['[a_b]c=d'],
  ['[a b]'],
  ['[a "b]'],
  ['[a "b'],
  ['[a "b\n"]'],
  ['[a "b\\\n"]'],
  ['[a "b" ]'],
  ['[a "b"'],
  ['[a\t'],
  ['[a "'],
  ['[@]'],
  ['[a]1=b'],
  ['[a]-=b'],
  ['[a]=b'],
  ['[a]@=b'],
  ['[a]b c=d'],
  ['[a]b_=d'],
  ['[a]b:c'],
  ['[a]b"c"'],
  ['[a]b="c'],
  ['[a]b="c\n"'],
  ['[a]b=\\x'],
  ['[a]b=\\ '],
  ['[a]b="\\r"'],
  ['[a]b=\\'.concat('0')],
  ['[a]b=c\n!', 'a.b\nc'],
  ['[a]b=c\n]', 'a.b\nc'],
  ['[a]b=c\n[d', 'a.b\nc'],
]

describe('a configuration is read as git reads it', () => {
  for (const [text, ...said] of FINE) {
    test(JSON.stringify(text).slice(0, 60), () => {
      assert.deepEqual(parse(text), { fine: true, said })
      assert.deepEqual(gitReads(text), { fine: true, said })
    })
  }
})

describe('a configuration is refused as git refuses it, and what was read until then stands', () => {
  for (const [text, ...said] of BROKEN) {
    test(JSON.stringify(text), () => {
      assert.deepEqual(parse(text), { fine: false, said })
      assert.deepEqual(gitReads(text), { fine: false, said })
    })
  }
})

describe('where a char has no sign', () => {
  for (const [text, fine, ...said] of [
    ['[a "\xff"]b=c\xffd', true, 'a.\xff.b\nc\xffd'],
    ['[a]b=c\r\xff', true, 'a.b\nc \xff'],
    ['[a]b\xff', false],
    ['\xff', false],
    // The mark of byte order is skipped, at the beginning alone.
    ['\xef\xbb\xbf[a]b=c', true, 'a.b\nc'],
    ['\n\xef\xbb\xbf[a]b=c', false],
    ['\xef\xbb[a]b=c', false],
  ] as const) {
    test(JSON.stringify(text), () => {
      assert.deepEqual(parse(text, 'unsigned'), { fine, said })
      assert.deepEqual(gitReads(text), { fine, said })
    })
  }
})

describe('where a char has a sign, 0xff is the end for some, and git reads on behind it', () => {
  for (const [text, fine, ...said] of [
    ['[a]b=c\xff', true, 'a.b\nc'],
    ['[a]b=c\xffd', true, 'a.b\nc', 'a.d'],
    ['[a]b\xff=c', false, 'a.b'],
    ['[a]b=c\xffde=f', false, 'a.b\nc'],
    ['\xff[', true],
    ['[\xff]', false],
    ['[a "\xff"]b=c', false],
    ['[a]b=c\r\xff', true, 'a.b\nc'],
    ['\xef\xbb\xbf[a]b=c', false],
  ] as const) {
    // Where this machine's char has none, git has nothing to say about it.
    const { fine: isFineHere } = gitReadsBlob('\xff[')
    test.runIf(isFineHere)(`${JSON.stringify(text)}, as git says`, () => {
      assert.deepEqual(gitReadsBlob(text), { fine, said })
    })
    test(JSON.stringify(text), () => assert.deepEqual(parse(text, 'signed'), { fine, said }))
  }
})
