import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { replaceOnce } from '../harness/tree-copy.ts'
import { ROOT } from '../integration/support/command-line.ts'
import { CRITERIA } from './criteria.ts'
import { type Defect, type DefectName, DEFECTS } from './defects.ts'

it.each(Object.keys(DEFECTS) as DefectName[])('%s can still be planted', (name) => {
  const defect: Defect = DEFECTS[name]
  for (const { file, from, to } of [defect, ...(defect.also === undefined ? [] : [defect.also])]) {
    expect(replaceOnce(readFileSync(join(ROOT, file), 'utf8'), from, to, file)).toContain(to)
  }
  expect(CRITERIA.map(({ id }) => id)).toContain(defect.criterion)
  if (defect.check.kind === 'tests') expect(existsSync(join(ROOT, defect.check.file))).toBe(true)
})

it.each(Object.keys(DEFECTS) as DefectName[])('%s is not recognised by what its check is called', (name) => {
  const { check, says }: Defect = DEFECTS[name]
  const called = check.kind === 'tests' ? [check.file, check.name ?? ''] : [check.script, ...check.args]
  expect([...called, check.what].filter((one) => says.test(one))).toEqual([])
})

it.each(CRITERIA)('$id: its checks are proved able to fail, or it says why not here', ({ id, notPlanted }) => {
  const planted = Object.values(DEFECTS).some(({ criterion }) => criterion === id)
  expect([planted, notPlanted !== undefined].filter(Boolean)).toHaveLength(1)
})
