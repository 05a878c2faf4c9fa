import { crc32 } from 'node:zlib'
import { expect, it, vi } from 'vitest'

import { redactText } from '../observability/redaction.ts'
import { openPeople } from './testing.ts'
import { isTokenText, newTokenText } from './token-text.ts'

const never = new AbortController().signal
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

it('has a prefix, 33 random digits and the checksum of what precedes', () => {
  const texts = Array.from({ length: 200 }, newTokenText)
  expect(new Set(texts).size).toBe(200)
  for (const text of texts) {
    expect(text).toMatch(/^guts_pat_[0-9A-Za-z]{39}$/)
    const checksum = text
      .slice(-6)
      .split('')
      .reduce((value, digit) => value * 62 + DIGITS.indexOf(digit), 0)
    expect(checksum).toBe(crc32(text.slice(0, -6)))
    expect(isTokenText(text)).toBe(true)
    expect(redactText(`token=${text}`)).not.toContain(text.slice(9))
  }
})

it('is told from every text with one other character, without the database', () => {
  const text = newTokenText()
  for (let at = 0; at < text.length; at++) {
    const other = text[at] === 'x' ? 'y' : 'x'
    expect(isTokenText(text.slice(0, at) + other + text.slice(at + 1))).toBe(false)
  }
  for (const wrong of ['', 'guts_pat_', text.slice(1), `${text}0`, `${text}\n`, text.toUpperCase()]) {
    expect(isTokenText(wrong)).toBe(false)
  }
})

it('says whose it is, until it is revoked', async () => {
  await using people = await openPeople()
  const alice = await people.join('alice')
  const root = await people.join('root', 'admin')
  const { token, ...caller } = alice
  expect(await people.tokens.authenticate(token, never)).toEqual(caller)
  expect((await people.tokens.authenticate(root.token, never))?.admin).toBe(true)
  expect(await people.tokens.authenticate(newTokenText(), never)).toBeUndefined()
  expect(await people.tokens.revoke(root.userId, caller.tokenId)).toBe(false)
  expect(await people.tokens.authenticate(token, never)).toEqual(caller)
  expect(await people.tokens.revoke(caller.userId, caller.tokenId)).toBe(true)
  expect(await people.tokens.authenticate(token, never)).toBeUndefined()
  expect(await people.tokens.revoke(caller.userId, caller.tokenId)).toBe(false)
})

it('is stored as a hash alone', async () => {
  await using people = await openPeople()
  const { token } = await people.join('alice')
  const [row] = people.database.reader.prepare('SELECT * FROM tokens').all()
  expect(row?.['hash']).toHaveLength(32)
  expect(JSON.stringify(row)).not.toContain(token.slice(9))
})

it('ends at its time and not before', async () => {
  await using people = await openPeople()
  const { userId } = await people.join('alice')
  vi.useFakeTimers({ toFake: ['Date'] })
  try {
    const { token } = await people.tokens.create({ userId, name: 'short', expiresInS: 60 })
    vi.setSystemTime(Date.now() + 59_999)
    expect(await people.tokens.authenticate(token, never)).toBeDefined()
    vi.setSystemTime(Date.now() + 1)
    expect(await people.tokens.authenticate(token, never)).toBeUndefined()
  } finally {
    vi.useRealTimers()
  }
})

it("is listed without itself, and only among its owner's", async () => {
  await using people = await openPeople()
  const { userId } = await people.join('alice')
  const { userId: other } = await people.join('bob')
  await people.tokens.create({ userId, name: 'laptop', expiresInS: 60 })
  const { items, total } = people.tokens.list(userId, { page: 1, perPage: 10 })
  expect(items.map(({ name, expiresAtMs }) => [name, expiresAtMs === null])).toEqual([
    ['test', true],
    ['laptop', false],
  ])
  expect(total).toBe(2)
  expect(Object.keys(items[0] ?? {}).sort()).toEqual(['createdAtMs', 'expiresAtMs', 'id', 'name'])
  expect(people.tokens.list(other, { page: 1, perPage: 10 }).total).toBe(1)
})

it('needs a user', async () => {
  await using people = await openPeople()
  await expect(people.tokens.create({ userId: 'nobody', name: 'x' })).rejects.toMatchObject({ name: 'ConstraintError' })
})
