import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { fc } from '@fast-check/vitest'

import { compareRefNames, isRefName } from '../src/git/ref-name.ts'
import { prop } from './prop.ts'

// Mostly good names with at most a few flaws: of random text nearly nothing is a name.
const letters = fc.constantFrom('refs', 'heads', 'a', 'é', 'x-y', 'lock', '}', ']')
const flaw = fc.oneof(
  fc.constantFrom('.', '..', '.lock', '@', '{', '@{', '-', '//', '/', '*', '^'),
  // git reads arguments, so no NUL.
  fc.string({ unit: 'binary', minLength: 1, maxLength: 2 }).map((text) => text.replaceAll('\0', '')),
)
const pieces = fc.array(fc.oneof({ weight: 5, arbitrary: letters }, { weight: 1, arbitrary: flaw }), {
  minLength: 1,
  maxLength: 3,
})
const refName = fc
  .array(
    pieces.map((parts) => parts.join('')),
    { minLength: 1, maxLength: 4 },
  )
  .map((components) => components.join('/'))

prop([fc.array(refName, { minLength: 200, maxLength: 200 })], { numRuns: 3, endOnFailure: true })(
  'names of refs are judged as git check-ref-format does',
  (names) => {
    // "git check-ref-format -h" would print its usage; no name of ours may be read as an option.
    const tried = names.filter((name) => !name.startsWith('-'))
    const script = 'for name; do git check-ref-format "$name" && echo y || echo n; done'
    const { stdout } = spawnSync('sh', ['-c', script, 'sh', ...tried], { encoding: 'utf8' })
    const verdicts = stdout.trim().split('\n')
    assert.equal(verdicts.length, tried.length)
    tried.forEach((name, i) => assert.equal(isRefName(name), verdicts[i] === 'y', JSON.stringify(name)))
  },
)

const unit = fc.constantFrom('/', 'a', 'é', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}')
const text = fc.string({ unit, maxLength: 4 })

prop([text, text, text])('names of refs are ordered as their bytes are', (start, a, b) => {
  const [nameA, nameB] = [start + a, start + b]
  const expected = Buffer.compare(Buffer.from(nameA), Buffer.from(nameB))
  assert.equal(Math.sign(compareRefNames(nameA, nameB)), expected, JSON.stringify([nameA, nameB]))
})
