import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ROOT } from '../integration/support/command-line.ts'
import { DEFECT_NAMES, plant, PLANTED_DEFECTS } from './planted.ts'

it.each(DEFECT_NAMES)('%s can still be planted', (name) => {
  const defect = PLANTED_DEFECTS[name]
  const text = readFileSync(join(ROOT, defect.file), 'utf8')
  expect(plant(defect, text)).toContain(defect.to)
  expect(() => plant(defect, '')).toThrow(defect.file)
})
