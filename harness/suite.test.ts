import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { closeCases, EXIT, reportFolder } from './suite.ts'

const suite = 'suite-test'

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})
afterAll(() => rmSync(reportFolder(suite), { recursive: true }))

describe('closeCases', () => {
  it.each([
    { outcomes: ['passed', 'failed', 'skipped'] as const, exit: EXIT.finding, line: '1 passed, 1 failed, 1 skipped' },
    { outcomes: ['passed'] as const, exit: EXIT.fine, line: '1 passed, 0 failed' },
    { outcomes: ['skipped'] as const, exit: EXIT.finding, line: '0 passed, 0 failed, 1 skipped' },
    { outcomes: [] as const, exit: EXIT.finding, line: '0 passed, 0 failed' },
  ])('$outcomes', ({ outcomes, exit, line }) => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {})
    const cases = outcomes.map((outcome, index) => ({ name: `${index}`, outcome, duration_s: 1, message: 'a < b' }))
    expect(closeCases({ suite, seed: 1, cases, startedAtMs: performance.now(), details: { more: 1 } })).toBe(exit)
    expect(log.mock.lastCall).toEqual([line])
    const summary = JSON.parse(readFileSync(join(reportFolder(suite), 'summary.json'), 'utf8')) as object
    expect(summary).toMatchObject({ suite, seed: 1, more: 1, commit: expect.stringMatching(/^[0-9a-f]{40}$/) })
    const junit = readFileSync(join(reportFolder(suite), 'junit.xml'), 'utf8')
    expect(junit).toContain(`tests="${outcomes.length}"`)
  })

  it('writes what was found also where git does not say of which commit', () => {
    vi.spyOn(console, 'log').mockImplementation(() => {})
    const said = vi.spyOn(console, 'error').mockImplementation(() => {})
    vi.stubEnv('GIT_DIR', '/nowhere')
    vi.stubEnv('LC_ALL', 'C')
    const cases = [{ name: 'a', outcome: 'passed', duration_s: 1 }] as const
    expect(closeCases({ suite, seed: 1, cases, startedAtMs: performance.now(), details: {} })).toBe(EXIT.fine)
    const summary = JSON.parse(readFileSync(join(reportFolder(suite), 'summary.json'), 'utf8')) as object
    expect(summary).toMatchObject({ passed: 1, commit: 'unknown' })
    expect(said).toHaveBeenCalledWith(expect.stringContaining('not a git repository'))
  })
})
