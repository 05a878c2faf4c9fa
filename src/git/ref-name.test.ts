import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, test } from 'vitest'

import {
  compareRefNames,
  isBranchName,
  isPushableRefName,
  isRefName,
  REF_COMPONENT_BYTES_MAX,
  REF_NAME_BYTES_MAX,
  whyNotPushable,
} from './ref-name.ts'

const ROWS = [
  { name: 'a branch', ref: 'refs/heads/main', ok: true },
  { name: 'two components are enough', ref: 'heads/main', ok: true },
  { name: 'one component is too few', ref: 'main', ok: false },
  { name: 'nothing', ref: '', ok: false },
  { name: 'a slash alone', ref: '/', ok: false },
  { name: 'a leading slash', ref: '/refs/heads/main', ok: false },
  { name: 'a trailing slash', ref: 'refs/heads/main/', ok: false },
  { name: 'two slashes', ref: 'refs//main', ok: false },
  { name: 'a component that begins with a dot', ref: 'refs/heads/.main', ok: false },
  { name: 'a first component that begins with a dot', ref: '.refs/heads/main', ok: false },
  { name: 'two dots', ref: 'refs/heads/a..b', ok: false },
  { name: 'a component of one dot', ref: 'refs/./main', ok: false },
  { name: 'a component of two dots', ref: 'refs/../main', ok: false },
  { name: 'a trailing dot', ref: 'refs/heads/main.', ok: false },
  { name: 'a dot at the end of a component that is not the last', ref: 'refs/heads./main', ok: true },
  { name: 'a dot inside', ref: 'refs/tags/v1.0', ok: true },
  { name: 'a name that ends with .lock', ref: 'refs/heads/a.lock', ok: false },
  { name: 'a component that ends with .lock', ref: 'refs/heads.lock/a', ok: false },
  { name: 'a name that is .lock', ref: 'refs/heads/.lock', ok: false },
  { name: 'a component of .lock after others', ref: 'refs/.lock', ok: false },
  { name: 'a first component of .lock', ref: '.lock/a', ok: false },
  { name: 'the shortest name that ends with .lock', ref: 'refs/a.lock', ok: false },
  { name: 'a name that is lock', ref: 'refs/lock', ok: true },
  { name: 'the first character beyond ASCII', ref: 'refs/heads/a\u0080b', ok: true },
  { name: '.lock in capitals', ref: 'refs/heads/a.LOCK', ok: true },
  { name: '.lock with more after it', ref: 'refs/heads/a.lock2', ok: true },
  { name: 'an at sign before a brace', ref: 'refs/heads/a@{1}', ok: false },
  { name: 'a brace alone', ref: 'refs/heads/a{1}', ok: true },
  { name: 'an at sign alone', ref: 'refs/heads/@', ok: true },
  { name: 'an at sign and a brace in different components', ref: 'refs/heads/a@/{b', ok: true },
  { name: 'an at sign as the whole name', ref: '@', ok: false },
  { name: 'a space', ref: 'refs/heads/a b', ok: false },
  { name: 'a tab', ref: 'refs/heads/a\tb', ok: false },
  { name: 'a line feed', ref: 'refs/heads/a\nb', ok: false },
  { name: 'DEL', ref: 'refs/heads/a\u007fb', ok: false },
  { name: 'a tilde', ref: 'refs/heads/a~1', ok: false },
  { name: 'a caret', ref: 'refs/heads/a^', ok: false },
  { name: 'a colon', ref: 'refs/heads/a:b', ok: false },
  { name: 'a question mark', ref: 'refs/heads/a?', ok: false },
  { name: 'an asterisk', ref: 'refs/heads/*', ok: false },
  { name: 'an opening bracket', ref: 'refs/heads/[a', ok: false },
  { name: 'a closing bracket', ref: 'refs/heads/a]', ok: true },
  { name: 'a backslash', ref: 'refs/heads/a\\b', ok: false },
  { name: 'a name in another script', ref: 'refs/heads/ветка-分支', ok: true },
  { name: 'an emoji', ref: 'refs/heads/🚀', ok: true },
  { name: 'a leading dash', ref: 'refs/heads/-a', ok: true },
  { name: 'quotes and dollars', ref: `refs/heads/"'$(id)\``, ok: true },
  { name: 'a control character', ref: 'refs/heads/a\u0001b', ok: false },
]

const repository = mkdtempSync(join(tmpdir(), 'guts-ref-name-'))
execFileSync('git', ['init', '--quiet', '--bare', repository])
afterAll(() => rmSync(repository, { recursive: true }))

function gitAccepts(...args: string[]): boolean {
  return spawnSync('git', ['check-ref-format', ...args], { cwd: repository }).status === 0
}

describe('names of refs are judged as git check-ref-format does', () => {
  for (const { name, ref, ok } of ROWS) {
    test(name, () => {
      assert.equal(gitAccepts(ref), ok)
      assert.equal(isRefName(ref), ok)
      assert.equal(isRefName(Buffer.from(ref)), ok)
    })
  }

  test('each byte, in the middle of a name', () => {
    for (let byte = 1; byte < 256; byte++) {
      const name = Buffer.concat([Buffer.from('refs/heads/a'), Buffer.of(byte), Buffer.from('b')])
      // An argument cannot hold bytes that are no UTF-8, a shell's printf can make them.
      const octal = byte.toString(8).padStart(3, '0')
      const script = `git check-ref-format "$(printf 'refs/heads/a\\${octal}b')"`
      const ok = byte === 0x0a ? false : spawnSync('sh', ['-c', script], { cwd: repository }).status === 0
      assert.equal(isRefName(name), ok, `byte ${byte}`)
    }
  })

  test('a NUL, which no argument of git can hold', () => {
    assert.equal(isRefName('refs/heads/a\0'), false)
    assert.equal(isRefName(Buffer.from('refs/heads/a\0')), false)
  })
})

describe('names of branches are judged as git check-ref-format --branch does', () => {
  const names = [
    'main',
    'a/b',
    'HEAD',
    'HEAD/a',
    '@',
    '@a',
    '-a',
    'a/-b',
    '',
    'a b',
    '.a',
    'a.',
    'a.lock',
    'refs/heads/a',
  ]
  for (const name of names) {
    test(JSON.stringify(name), () => {
      assert.equal(isBranchName(name), gitAccepts('--branch', name))
      assert.equal(isBranchName(Buffer.from(name)), isBranchName(name))
    })
  }
})

describe('a pusher may name', () => {
  const longest = `refs/heads/${'a'.repeat(REF_COMPONENT_BYTES_MAX)}`
  const full = (bytes: number) => `refs/${'a/'.repeat(bytes)}`.slice(0, bytes - 1) + 'b'
  const rows = [
    { name: 'a branch', ref: 'refs/heads/main', ok: true },
    { name: 'a ref of any other kind', ref: 'refs/notes/commits', ok: true },
    { name: 'nothing outside refs/', ref: 'heads/main', ok: false },
    { name: 'not HEAD', ref: 'HEAD', ok: false },
    { name: 'nothing right below refs/, as git', ref: 'refs/stash', ok: false },
    { name: 'no directory', ref: 'refs/heads/', ok: false },
    { name: 'no path out of refs/', ref: 'refs/../config', ok: false },
    { name: 'no name that only begins as refs/ does', ref: 'ref', ok: false },
    { name: 'not refs/ itself', ref: 'refs/', ok: false },
    { name: 'not what stands below refs in other letters', ref: 'Refs/heads/main', ok: false },
    { name: 'a part as long as a file may be', ref: longest, ok: true },
    { name: 'no part longer than a file may be', ref: `${longest}a`, ok: false },
    { name: 'no part of fewer letters, but more bytes', ref: `refs/heads/${'é'.repeat(126)}`, ok: false },
    { name: 'a name as long as the limit', ref: full(REF_NAME_BYTES_MAX), ok: true },
    { name: 'no name longer than the limit', ref: full(REF_NAME_BYTES_MAX + 1), ok: false },
  ]
  for (const { name, ref, ok } of rows) {
    test(name, () => {
      assert.equal(isPushableRefName(ref), ok)
      assert.equal(isPushableRefName(Buffer.from(ref)), ok)
    })
  }

  test('below refs/ what C git takes a push of, and nothing else', () => {
    const work = mkdtempSync(join(tmpdir(), 'guts-ref-push-'))
    try {
      const git = (...args: string[]) =>
        spawnSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@b.c', ...args], { cwd: work, encoding: 'utf8' })
      git('init', '--quiet')
      git('commit', '--quiet', '--allow-empty', '-m', 'first')
      for (const { ref, ok } of rows.filter((row) => row.ref.startsWith('refs/') && row.ref.length < 100)) {
        const pushed = git('push', '--quiet', repository, `+HEAD:${ref}`)
        assert.equal(pushed.status === 0, ok, `${ref}: ${pushed.stderr}`)
        if (ok) git('push', '--quiet', repository, `:${ref}`)
      }
    } finally {
      rmSync(work, { recursive: true })
    }
  })

  test('nothing over a limit, and reads the limit', () => {
    assert.match(whyNotPushable(`${longest}a`) ?? '', /251 bytes; the limit is 250 bytes/)
    assert.match(whyNotPushable(full(1025)) ?? '', /1025 bytes; the limit is 1024 bytes/)
    // Fewer letters than bytes, in the name and in its part.
    const accents = `refs/heads/${'é'.repeat(126)}`
    assert.match(whyNotPushable(accents) ?? '', /^A part of a ref's name of 252 bytes/)
    assert.match(whyNotPushable(Buffer.from(accents)) ?? '', /^A part of a ref's name of 252 bytes/)
    const long = `refs/heads/${'é/'.repeat(400)}a`
    assert.match(whyNotPushable(long) ?? '', /^A ref's name of 1212 bytes/)
  })

  test('nothing that is no name of a ref, and reads whose rules these are', () => {
    assert.match(whyNotPushable('main') ?? '', /git check-ref-format/)
  })
})

describe('names are in the order of their bytes', () => {
  // U+FFFD stands for less than a pair of surrogates does, and its unit for more.
  const NAMES = [
    '',
    'a',
    'a/b',
    'a/bc',
    'ab',
    'b',
    'é',
    '\ud7ff',
    '\ue000',
    '\ufffd',
    '🚀',
    '🚀a',
    '🚁',
    'a🚀',
    'a\ufffd',
    'ab🚀',
  ]
  for (const a of NAMES) {
    for (const b of NAMES) {
      test(`${JSON.stringify(a)} and ${JSON.stringify(b)}`, () => {
        const order = Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)))
        assert.equal(Math.sign(compareRefNames(a, b)), order)
      })
    }
  }
})
