import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { fc, test } from '@fast-check/vitest'

import { isRefName } from '../src/git/ref-name.ts'

const piece = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('refs', 'heads', 'a', 'é', 'x-y', 'HEAD') },
  { weight: 4, arbitrary: fc.constantFrom('/', '/', '//') },
  { weight: 4, arbitrary: fc.constantFrom('.', '..', '.lock', '.lock/', '@', '{', '@{', '-', 'lock') },
  // git reads arguments, so no NUL; and no lone surrogates, which have no bytes.
  {
    weight: 1,
    arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 2 }).map((text) => text.replaceAll('\0', '')),
  },
)
const refName = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''))

test.prop([fc.array(refName, { minLength: 200, maxLength: 200 })], { numRuns: 3 })(
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
