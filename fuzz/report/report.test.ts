import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { EXIT, reportFolder } from '../../harness/suite.ts'
import { TARGET_NAMES } from '../targets.ts'
import { fuzzPage } from './page.ts'
import { closeFuzz, type FuzzReport } from './report.ts'
import { sarifOf } from './sarif.ts'

const SUITE = 'fuzz-report-test'
const finding = { name: 'pack', text: 'crash: <b> & co', file: 'fuzz/findings/pack/a b' }

const report: FuzzReport = {
  suite: SUITE,
  seed: 7,
  again: 'npm run fuzz -- pack --seed 7',
  cases: [
    { name: 'delta', outcome: 'passed', duration_s: 1 },
    { name: 'pack', outcome: 'failed', duration_s: 2, message: finding.text },
  ],
  startedAtMs: 0,
  problems: [finding],
  figures: [{ target: 'delta', inputs: 12, executions: 34_567, executionsPerS: 8_900, goalPerS: 3_000 }],
  coverage: [
    { file: 'src/git/delta.ts', branches: 40, taken: 39, missing: [{ line: 3, name: 'if in: if (a < b) c()' }] },
  ],
  coveredBy: 'the committed inputs alone',
  details: { more: 1 },
}

afterAll(() => rmSync(reportFolder(SUITE), { recursive: true }))

describe('a run', () => {
  it('leaves JSON, JUnit, SARIF and a page', () => {
    const said = vi.spyOn(console, 'log').mockImplementation(() => {})
    expect(closeFuzz(report)).toBe(EXIT.finding)
    expect(said).toHaveBeenCalledWith('1 passed, 1 failed')
    said.mockRestore()
    const read = (name: string): string => readFileSync(join(reportFolder(SUITE), name), 'utf8')
    expect(JSON.parse(read('summary.json'))).toMatchObject({
      suite: SUITE,
      seed: 7,
      executed: 2,
      more: 1,
      decoders: [{ file: 'src/git/delta.ts', branches: 40, taken: 39, percent: 97.5 }],
    })
    expect(read('junit.xml')).toMatch(/crash: &lt;b(>|&gt;) &amp; co/)
    expect(JSON.parse(read('results.sarif'))).toEqual(sarifOf([finding], true))
    expect(read('index.html')).toContain('src/git/delta.ts')
  })

  it('says what it found also where its report cannot be written', () => {
    const suite = `${SUITE}-no-folder`
    const place = join(dirname(reportFolder(SUITE)), suite)
    writeFileSync(place, 'a file where the folder is to be')
    const said = vi.spyOn(console, 'log').mockImplementation(() => {})
    const complained = vi.spyOn(console, 'error').mockImplementation(() => {})
    try {
      const cases = report.cases.filter(({ outcome }) => outcome === 'passed')
      expect(closeFuzz({ ...report, suite, cases, problems: [] })).toBe(EXIT.finding)
      expect(said.mock.calls).toEqual([['1 passed, 0 failed']])
      expect(complained.mock.calls.join()).toMatch(new RegExp(`^reports/${suite}/ cannot be written: E[A-Z]+`))
    } finally {
      vi.restoreAllMocks()
      rmSync(place)
    }
  })

  it('says in SARIF what was tried, what was found, where, and whether all was tried', () => {
    const log = sarifOf([finding, { name: 'coverage', text: 'a branch', file: 'src/git/a.ts', line: 3 }], false)
    const { version, runs } = log as {
      version: string
      runs: readonly {
        tool: { driver: { rules: readonly { id: string }[] } }
        results: readonly { ruleIndex: number }[]
      }[]
    }
    expect(version).toBe('2.1.0')
    const ids = runs[0]?.tool.driver.rules.map(({ id }) => id) ?? []
    expect(ids).toEqual(expect.arrayContaining([...TARGET_NAMES, 'coverage', 'canary', 'published defects']))
    expect(runs[0]).toMatchObject({
      invocations: [{ executionSuccessful: false }],
      results: [
        {
          ruleId: 'pack',
          ruleIndex: ids.indexOf('pack'),
          message: { text: 'crash: <b> & co' },
          locations: [{ physicalLocation: { artifactLocation: { uri: 'fuzz/findings/pack/a%20b' } } }],
        },
        {
          ruleId: 'coverage',
          locations: [{ physicalLocation: { artifactLocation: { uri: 'src/git/a.ts' }, region: { startLine: 3 } } }],
        },
      ],
    })
  })

  it('says in SARIF as text what looks like a placeholder, a link or the end of a path', () => {
    const text = '{0} and [click](https://evil.example) [1]'
    const log = sarifOf([{ name: 'pack', text, file: 'fuzz/findings/pack/a?b#c' }], true)
    expect(log).toMatchObject({
      runs: [
        {
          results: [
            {
              message: { text: '{{0}} and [click] (https://evil.example) [1]' },
              locations: [{ physicalLocation: { artifactLocation: { uri: 'fuzz/findings/pack/a%3Fb%23c' } } }],
            },
          ],
        },
      ],
    })
  })

  it('has a page that needs nothing else, shows markup as text, and each decoder with what is missing', () => {
    const page = fuzzPage({ ...report, title: 'Fuzzing', commit: 'abc' })
    expect(page).not.toMatch(/<script|<link|src="|href="|url\(/)
    expect(page).toContain('crash: &lt;b&gt; &amp; co')
    expect(page).toContain('34,567')
    expect(page).toContain('8,900 (3,000)')
    expect(page).toContain('97.5 %')
    expect(page).toContain('line 3, <code>if in: if (a &lt; b) c()</code>: not listed')
    expect(page).toContain('<span class="verdict failed">failed</span>')
    expect(fuzzPage({ ...report, title: 'x', commit: 'y', coverage: undefined })).toContain('Not counted')
  })
})
