import assert from 'node:assert/strict'
import {
  compareRefNames,
  isBranchName,
  isPushableRefName,
  isRefName,
  REF_COMPONENT_BYTES_MAX,
  REF_NAME_BYTES_MAX,
  whyNotPushable,
} from '../../src/git/ref-name.ts'
import { textSeeds } from '../seeds/texts.ts'
import type { FuzzTarget } from '../target.ts'

export const target = {
  reads: 'names of refs',
  drives: {
    'src/git/ref-name.ts': [
      'isRefName',
      'isBranchName',
      'isPushableRefName',
      'whyNotPushable',
      'compareRefNames',
      'hasRefFormat',
      'longestComponentBytes',
    ],
  },
  inputBytesMax: 1_100,
  words: [
    'refs/heads/',
    'refs/tags/',
    '.lock',
    '.lock/',
    '@{',
    '..',
    '//',
    '/.',
    '@',
    'HEAD',
    '\xf0\x9f\x98\x80',
    '\xee\x80\x80',
  ],
  makesObjects: false,
  goalPerS: 3_000,
  planted: {
    reflog: {
      why: 'a name with "@{" in it means an entry of a reflog to every git command',
      file: 'src/git/ref-name.ts',
      from: '    else if (code === OPEN_BRACE && last === AT) return false\n',
      to: '',
    },
  },
  seeds: () =>
    textSeeds({
      'a branch': 'refs/heads/main',
      'a tag of a part': 'refs/tags/v1.0/rc',
      'a name of one part': 'main',
      'a dot inside': 'refs/heads/a./b',
      'a lock': 'refs/heads/a.lock',
      'a part that begins with a dot': 'refs/heads/.a',
      'two dots': 'refs/heads/a..b',
      'a long part': `refs/heads/${'a'.repeat(251)}`,
      'a long name': `refs/heads/${'abcdefg/'.repeat(126)}x`,
      'letters of two units': 'refs/heads/\xf0\x9f\x98\x80/\xee\x80\x80',
      'a space': 'refs/heads/a b',
      'an option': '-a',
      'the rest of a name': 'refs/stash',
      'what ends with a slash': 'refs/heads/',
    }),
} satisfies FuzzTarget

/**
 * Oracle: the rules of git-check-ref-format(1), told by regular expressions; of bytes and of text the same; who may be
 * pushed has two parts behind `refs/`, and is as short as the limits say; the order is that of bytes.
 */
export function fuzz(data: Buffer): void {
  const text = data.toString()
  for (const [name, latin1] of [
    [data, data.toString('latin1')],
    [text, Buffer.from(text).toString('latin1')],
  ] as const) {
    const isName = isWellFormed(latin1) && latin1.includes('/')
    assert.equal(isRefName(name), isName)
    assert.equal(isBranchName(name), isWellFormed(latin1) && !latin1.startsWith('-') && latin1 !== 'HEAD')
    const rest = latin1.slice('refs/'.length)
    const isLong =
      latin1.length > REF_NAME_BYTES_MAX || latin1.split('/').some((part) => part.length > REF_COMPONENT_BYTES_MAX)
    assert.equal(
      isPushableRefName(name),
      latin1.startsWith('refs/') && isWellFormed(rest) && rest.includes('/') && !isLong,
    )
    assert.equal(whyNotPushable(name) === undefined, isPushableRefName(name))
  }
  const half = text.slice(0, text.length >> 1).toWellFormed()
  const others = text.slice(text.length >> 1).toWellFormed()
  assert.equal(Math.sign(compareRefNames(half, others)), Buffer.compare(Buffer.from(half), Buffer.from(others)))
  assert.equal(compareRefNames(half, half), 0)
}

/** With parts of any number. @param name a character for each byte */
function isWellFormed(name: string): boolean {
  if (/[\0- ~^:?*[\\\x7f]|\.\.|@\{|\.$/.test(name)) return false
  return name.split('/').every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'))
}
