import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'vitest'

import { FSCK_REASONS, FsckError } from './error.ts'

test('every id has a row in a table that git judges too', () => {
  const folder = new URL('.', import.meta.url)
  const tests = readdirSync(folder).filter((name) => name.endsWith('.test.ts') && name !== 'error.test.ts')
  const text = tests.map((name) => readFileSync(new URL(name, folder), 'utf8')).join('')
  const without = Object.keys(FSCK_REASONS).filter((id) => !text.includes(`'${id}'`))
  assert.deepEqual(without, [])
})

test('every id has a reason of its own, which a pusher can read', () => {
  const reasons = Object.values(FSCK_REASONS)
  assert.equal(new Set(reasons).size, reasons.length)
  for (const reason of reasons) assert.match(reason, /^\w.{10,}\w$|"$/)
  const oid = 'a1'.repeat(20)
  const { message, detail } = FsckError.of('hasDot', oid)
  assert.equal(message, `object ${oid}: hasDot: an entry is named "."`)
  assert.deepEqual(detail, { code: 'object_refused', id: 'hasDot', oid, reason: 'an entry is named "."' })
})
