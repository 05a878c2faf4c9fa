import { expect, it } from 'vitest'

import { RequestError } from '../errors.ts'
import { StorageError } from '../storage/error.ts'
import { toRequestError } from './error-answer.ts'

const system = (code: string): Error => Object.assign(new Error(`${code}: write '/var/lib/guts/x'`), { code })

it.each([
  {
    name: 'a database that is locked',
    error: new StorageError({ code: 'database_failed', undone: true }, 'x'),
    retryAfterS: 5,
  },
  { name: 'a database that is closed', error: new StorageError({ code: 'database_closed' }, 'x'), retryAfterS: 5 },
  { name: 'a lost lease', error: new StorageError({ code: 'lease_lost' }, 'x'), retryAfterS: 15 },
  { name: 'a full disk', error: system('ENOSPC'), retryAfterS: 2 },
  { name: 'a used-up quota', error: system('EDQUOT'), retryAfterS: 2 },
  { name: 'a disk that became read-only', error: system('EROFS'), retryAfterS: 2 },
])('$name is told as unavailable, with when to ask again', ({ error, retryAfterS }) => {
  const answer = toRequestError(error)
  expect(answer.detail).toEqual({ code: 'unavailable', retryAfterS })
  expect(answer.cause).toBe(error)
  expect(answer.message).not.toContain('/var')
})

it.each([
  new StorageError({ code: 'object_missing', oid: '1'.repeat(40) }, 'secret path'),
  system('EIO'),
  new Error('secret path'),
  'secret path',
])('%s is an internal error that says nothing more', (error) => {
  const answer = toRequestError(error)
  expect([answer.detail, answer.message]).toEqual([{ code: 'internal_error' }, 'Internal error'])
})

it('leaves what is an answer already', () => {
  const refusal = new RequestError({ code: 'conflict' }, 'Taken')
  expect(toRequestError(refusal)).toBe(refusal)
})
