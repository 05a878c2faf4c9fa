import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { temporaryFolder } from '../../integration/support/git.ts'
import { filesThatNeedProperties, readKnown, scoresOf, survivorsPage, withoutSurvivors } from './score.ts'

const at = (line: number) => ({ start: { line, column: 1 } })

const REPORT = {
  files: {
    'src/git/b.ts': {
      source: 'const one = 1\n  const two = `2`\n',
      mutants: [
        { mutatorName: 'A', status: 'Killed', location: at(1) },
        { mutatorName: 'B', status: 'Timeout', location: at(1) },
        { mutatorName: 'C', replacement: '`${\n  1}`', status: 'Survived', location: at(2) },
        { mutatorName: 'D', replacement: 'x'.repeat(200), status: 'NoCoverage', location: at(1) },
        { mutatorName: 'E', status: 'Ignored', location: at(1) },
        { mutatorName: 'F', status: 'RuntimeError', location: at(1) },
      ],
    },
    'src/git/a.ts': { source: '', mutants: [] },
  },
}

it('counts what tests can find out, and names what they did not', () => {
  const scores = scoresOf(REPORT)
  expect(scores).toMatchObject([
    { file: 'src/git/a.ts', detected: 0, valid: 0, percent: 100, survivors: [] },
    { file: 'src/git/b.ts', detected: 2, valid: 4, percent: 50, survivors: [{ line: 2 }, { line: 1 }] },
  ])
  const survivors = [
    '# Mutants that no test killed\n',
    '## src/git/b.ts: 50.0 %\n',
    "- line 2, C: `const two = '2'` → `'${ 1}'`",
    `- line 1, D, no test comes there: \`const one = 1\` → \`${'x'.repeat(100)}…\`\n`,
  ].join('\n')
  expect(survivorsPage(scores, new Set(['src/git/b.ts']))).toBe(survivors)
  expect(survivorsPage(scores, new Set())).toBe(survivors.replace('50.0 %', '50.0 %, without the properties'))
})

it('has everything tried again that was not found out, in the files that are run', () => {
  const kept = withoutSurvivors({ ...REPORT, schemaVersion: '1.0' }, ['src/git/b.ts'])
  expect(kept).toMatchObject({ schemaVersion: '1.0', files: { 'src/git/b.ts': { source: expect.any(String) } } })
  expect(kept.files['src/git/b.ts'].mutants.map(({ mutatorName }) => mutatorName)).toEqual(['A', 'B'])
  expect(withoutSurvivors(REPORT, ['src/git/a.ts'])).toEqual(REPORT)
})

it('knows the files whose mutants lived until the properties ran', () => {
  const killed = (...killedBy: string[]) => ({ mutatorName: 'A', status: 'Killed', location: at(1), killedBy })
  const report = {
    files: {
      'src/git/a.ts': { source: '', mutants: [killed('1'), killed('3')] },
      'src/git/b.ts': { source: '', mutants: [killed('1'), { ...killed(), status: 'Timeout' }] },
      'src/git/c.ts': { source: '', mutants: [{ mutatorName: 'A', status: 'Timeout', location: at(1) }] },
    },
    testFiles: {
      'src/git/a.test.ts': { tests: [{ id: '1' }] },
      'property/a.property.ts': { tests: [{ id: '2' }, { id: '3' }] },
    },
  }
  expect(filesThatNeedProperties(report)).toEqual(['src/git/a.ts'])
  expect(filesThatNeedProperties(REPORT)).toEqual([])
})

it('begins anew where what earlier runs found is not there, or was cut off', () => {
  using folder = temporaryFolder('mutation')
  const path = join(folder.path, 'incremental.json')
  using said = vi.spyOn(console, 'error').mockImplementation(() => {})
  expect(readKnown(path)).toBeUndefined()
  expect(said).not.toHaveBeenCalled()
  writeFileSync(path, JSON.stringify(REPORT).slice(0, -1))
  expect(readKnown(path)).toBeUndefined()
  expect(said).toHaveBeenCalledWith(expect.stringContaining('cut off'))
  writeFileSync(path, JSON.stringify(REPORT))
  expect(readKnown(path)).toEqual(REPORT)
})
