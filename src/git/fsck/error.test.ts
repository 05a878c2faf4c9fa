import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'vitest'

import { FSCK_REASONS } from './error.ts'

test('every id has a row in a table that git judges too', () => {
  const folder = new URL('.', import.meta.url)
  const tests = readdirSync(folder).filter((name) => name.endsWith('.test.ts') && name !== 'error.test.ts')
  const text = tests.map((name) => readFileSync(new URL(name, folder), 'utf8')).join('')
  const without = Object.keys(FSCK_REASONS).filter((id) => !text.includes(`'${id}'`))
  assert.deepEqual(without, [])
})
