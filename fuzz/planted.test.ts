import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ROOT } from '../integration/support/command-line.ts'
import { replaceOnce } from '../harness/tree-copy.ts'
import { PLANTED_DEFECTS } from './planted.ts'

it.each(Array.from(PLANTED_DEFECTS))('%s can still be planted', (_name, { file, from, to }) => {
  const text = readFileSync(join(ROOT, file), 'utf8')
  expect(replaceOnce(text, from, to, file)).toContain(to)
  expect(() => replaceOnce('', from, to, file)).toThrow(file)
})
