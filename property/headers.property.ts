/** Headers of commits and tags, in which anything may stand: history holds what no rule allows. */
import assert from 'node:assert/strict'
import { fc } from '@fast-check/vitest'
import { checkHeader } from '../src/git/fsck/header.ts'
import { parseCommit, parseWholeCommit } from '../src/git/object/commit.ts'
import { ObjectError } from '../src/git/object/error.ts'
import { HeaderLines } from '../src/git/object/header-lines.ts'
import { parseIdentity } from '../src/git/object/identity.ts'
import { oidHex, record } from './arbitraries.ts'
import { prop } from './prop.ts'

const word = fc.stringMatching(/^[A-Za-zé.' -]{0,20}$/)
const timeS = fc.oneof(fc.nat(), fc.integer({ min: 1, max: 999_999_999_999_999 }))

prop([word, fc.stringMatching(/^[a-z@.<> -]{0,20}$/), timeS, fc.constantFrom('+0000', '-1130', '+14', '')])(
  'an identity is read as it was written, whatever stands in its address',
  (name, email, seconds, zone) => {
    const read = parseIdentity(`${name} <${email}> ${seconds} ${zone}`)
    assert.deepEqual(read, { name: name.trim(), email, timeS: seconds })
  },
)

prop([
  fc
    .array(fc.oneof(fc.constantFrom('<', '>', ' ', '1', '-', '1600000000', '9'.repeat(16)), fc.string()))
    .map((parts) => parts.join('')),
])('any line is an identity, whose time is a whole number', (line) => {
  const { name, email, timeS: seconds } = parseIdentity(line)
  assert.ok(Number.isSafeInteger(seconds) && seconds >= 0)
  assert.ok(line.includes(name) && line.includes(email))
  if (!line.includes('>')) assert.deepEqual({ email, seconds }, { email: '', seconds: 0 })
})

const lines = fc.array(fc.tuple(fc.stringMatching(/^[a-z]{1,8}$/), fc.stringMatching(/^[^\n\0]{0,20}$/)), {
  maxLength: 6,
})

prop([lines, fc.string(), fc.nat(5)])(
  'lines of a header are read as they were written, a key that does not come next takes none, and the body is behind them',
  (written, body, taken) => {
    const header = written.map(([key, value]) => `${key} ${value}\n`).join('')
    const data = Buffer.from(`${header}\n${body}`)
    const read = new HeaderLines(data)
    for (const [key, value] of written.slice(0, taken)) {
      assert.equal(read.take(`${key}x`), undefined)
      assert.equal(read.take(key), value)
    }
    assert.equal(read.bodyAt(), Buffer.byteLength(header) + 1)
    // Nothing is behind the end.
    assert.equal(new HeaderLines(data.subarray(0, -body.length - 2)).take(`${header}x`), undefined)
  },
)

const commit = record({
  tree: oidHex,
  parents: fc.array(oidHex, { maxLength: 3 }),
  committerTimeS: timeS,
  message: fc.stringMatching(/^[a-z\n]{0,20}$/),
})

prop([commit, fc.nat(), fc.constantFrom('', '\n', '\0', ' ', 'x', '\xff', 'parent ', 'A')])(
  'a commit is the same for who walks history and who reads it, or refused for both',
  (written, place, noise) => {
    const { tree, parents, committerTimeS, message } = written
    const who = { name: 'A', email: 'a@example.org', timeS: committerTimeS }
    const line = `A <a@example.org> ${committerTimeS} +0000`
    const header = `tree ${tree}\n${parents.map((one) => `parent ${one}\n`).join('')}author ${line}\ncommitter ${line}\n`
    const text = `${header}\n${message}`
    assert.deepEqual(parseWholeCommit(Buffer.from(text)), { ...written, author: who, committer: who })
    const at = place % (text.length + 1)
    const data = Buffer.from(`${text.slice(0, at)}${noise}${text.slice(at + 1)}`, 'latin1')
    const read = (how: (data: Buffer) => object): object => {
      try {
        return how(data)
      } catch (error) {
        assert.ok(error instanceof ObjectError)
        return error.detail
      }
    }
    const walked = read(parseCommit)
    const whole = read(parseWholeCommit) as Record<string, unknown>
    for (const [key, value] of Object.entries(walked)) assert.deepEqual(whole[key], value, key)
    assert.equal('reason' in walked, 'reason' in whole)
  },
)

const pieces = fc.array(fc.constantFrom('\n', '\n\n', '\0', 'tree', ' ', '\r\n'), { maxLength: 12 })

prop([pieces.map((all) => all.join(''))])('a header ends its lines, and has no NUL, up to the body', (text) => {
  const [header = ''] = text.split('\n\n', 1)
  const hasBody = header.length < text.length
  const expected = header.includes('\0')
    ? 'nulInHeader'
    : hasBody || header.endsWith('\n')
      ? undefined
      : 'unterminatedHeader'
  assert.equal(checkHeader(Buffer.from(text)), expected)
})
