import { expect, it } from 'vitest'
import { scoresOf, survivorsPage, withoutSurvivors } from './score.ts'

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
  expect(survivorsPage(scores)).toBe(
    [
      '# Mutants that no test killed\n',
      '## src/git/b.ts: 50.0 %\n',
      "- line 2, C: `const two = '2'` → `'${ 1}'`",
      `- line 1, D, no test comes there: \`const one = 1\` → \`${'x'.repeat(100)}…\`\n`,
    ].join('\n'),
  )
})

it('has everything tried again that was not found out, in the files that are run', () => {
  const kept = withoutSurvivors({ ...REPORT, schemaVersion: '1.0' }, ['src/git/b.ts'])
  expect(kept).toMatchObject({ schemaVersion: '1.0', files: { 'src/git/b.ts': { source: expect.any(String) } } })
  expect(kept.files['src/git/b.ts'].mutants.map(({ mutatorName }) => mutatorName)).toEqual(['A', 'B'])
  expect(withoutSurvivors(REPORT, ['src/git/a.ts'])).toEqual(REPORT)
})
