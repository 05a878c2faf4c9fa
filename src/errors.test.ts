import { expect, it } from 'vitest'
import { errorCodeOf, hasErrorCode } from './errors.ts'

const coded = (code: unknown): Error => Object.assign(new Error('x'), { code })

it.each([
  { name: 'an error of the runtime', error: coded('ENOENT'), code: 'ENOENT' },
  { name: 'an error without a code', error: new Error('ENOENT'), code: undefined },
  { name: 'a code that is a number', error: coded(5), code: undefined },
  { name: 'what looks like an error', error: { code: 'ENOENT' }, code: undefined },
  { name: 'nothing', error: undefined, code: undefined },
])('reads the code of $name', ({ error, code }) => {
  expect(errorCodeOf(error)).toBe(code)
  expect(hasErrorCode(error, 'EEXIST', 'ENOENT')).toBe(code !== undefined)
  expect(hasErrorCode(error, 'EEXIST')).toBe(false)
})

it('finds no code in an error that has an empty one, nor in one that has none', () => {
  expect(hasErrorCode(coded(''))).toBe(false)
  expect(hasErrorCode(new Error('x'), 'ENOENT')).toBe(false)
})
