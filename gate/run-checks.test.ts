/** A tree with tests and suites of every kind, and what its checks are said to have shown. */
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ROOT } from '../integration/support/command-line.ts'
import { temporaryFolder } from '../integration/support/git.ts'
import type { SuiteCheck, TestsCheck } from './checks.ts'
import { type Evidence, messagesOf } from './evidence.ts'
import { runChecks } from './run-checks.ts'

const CONFIGURATION =
  "export default { test: { projects: [{ test: { name: 'unit', include: ['**/*.test.mjs'] } }] } }\n"
const IMPORTS = "import { afterAll, describe, expect, it } from 'vitest'\n"

/** Suites that write what `node FILE` is given to write. */
const suiteThat = (lines: string): string => `
import { mkdirSync, writeFileSync } from 'node:fs'
const report = (summary) => {
  mkdirSync('reports/made', { recursive: true })
  writeFileSync('reports/made/summary.json', JSON.stringify(summary))
}
${lines}
`

async function evidenceOf(
  files: Readonly<Record<string, string>>,
  checks: Readonly<Record<string, TestsCheck | SuiteCheck>>,
): Promise<Record<string, Evidence>> {
  const folder = temporaryFolder('gate-tree')
  onTestFinished(() => folder[Symbol.dispose]())
  symlinkSync(join(ROOT, 'node_modules'), join(folder.path, 'node_modules'))
  const scripts = { made: 'node made.mjs', shell: 'sh made.sh' }
  const all = { 'vitest.config.mjs': CONFIGURATION, 'package.json': JSON.stringify({ scripts }), ...files }
  for (const [file, text] of Object.entries(all)) writeFileSync(join(folder.path, file), text)
  const signal = AbortSignal.any([])
  const found = await runChecks(checks, { root: folder.path, seed: 7, signal, onEvidence: () => {} })
  return Object.fromEntries(found.map((one) => [one.id, one]))
}

const tests = (file: string, name?: string): TestsCheck => ({
  kind: 'tests',
  what: file,
  project: 'unit',
  file,
  ...(name !== undefined && { name }),
})
const suite: SuiteCheck = { kind: 'suite', what: '', script: 'made', suite: 'made', args: [], seeded: false }

describe('tests', () => {
  it('fail as a group where the runner failed outside of every test', async () => {
    const files = {
      'fine.test.mjs': `${IMPORTS}it('one', () => {})`,
      'late.test.mjs': `${IMPORTS}it('two', async () => {
        void Promise.reject(new Error('nobody handles this'))
        await new Promise((resolve) => setImmediate(resolve))
      })`,
    }
    const evidence = await evidenceOf(files, { fine: tests('fine.test.mjs'), late: tests('late.test.mjs') })
    for (const one of [evidence['fine'], evidence['late']]) {
      expect(one).toMatchObject({ outcome: 'failed', executed: 1, failed: 0, failures: [] })
      expect(one?.notes.join('\n')).toContain('nobody handles this')
    }
  })

  it('fail where a hook fails after them, and leave others alone', async () => {
    const files = {
      'fine.test.mjs': `${IMPORTS}it('one', () => {})`,
      'hook.test.mjs': `${IMPORTS}describe('group', () => {
        afterAll(() => { throw new Error('the hook failed') })
        it('two', () => {})
      })`,
    }
    const evidence = await evidenceOf(files, { fine: tests('fine.test.mjs'), hook: tests('hook.test.mjs') })
    expect(evidence['fine']).toMatchObject({ outcome: 'passed', executed: 1 })
    expect(evidence['hook']).toMatchObject({ outcome: 'failed', executed: 1, failed: 0 })
    expect(evidence['hook']?.notes.join('\n')).toContain('the hook failed')
  })

  it('are missing where they skip themselves, and not where another name narrows the run', async () => {
    const files = {
      'named.test.mjs': `${IMPORTS}
        it('has a name', () => {})
        it('lacks a tool', (context) => context.skip('no tool'))
        describe.skipIf(true)('a machine', () => { it('lacks a mount', () => {}) })
        it.todo('is written later')
        it('is of no check', () => {})
        it('fails', () => { expect(1).toBe(2) })`,
    }
    const named = (name: string): TestsCheck => tests('named.test.mjs', name)
    const names = { a: 'has a name', b: 'lacks a tool', c: 'lacks a mount', d: 'is written', e: 'fails', f: 'no such' }
    const checks = Object.fromEntries(Object.entries(names).map(([id, name]) => [id, named(name)]))
    const evidence = await evidenceOf(files, checks)
    expect(evidence['a']).toMatchObject({ outcome: 'passed', executed: 1, notes: [] })
    expect(evidence['b']).toMatchObject({ outcome: 'missing', executed: 0, notes: ['skipped: lacks a tool'] })
    expect(evidence['c']).toMatchObject({ outcome: 'missing', notes: ['skipped: a machine lacks a mount'] })
    expect(evidence['d']).toMatchObject({ outcome: 'missing', notes: ['skipped: is written later'] })
    expect(evidence['e']).toMatchObject({ outcome: 'failed', executed: 1, failed: 1, notes: [] })
    expect(evidence['e']?.failures).toEqual([
      { title: 'fails', message: expect.stringContaining('expected 1 to be 2') },
    ])
    expect(evidence['f']).toMatchObject({ outcome: 'failed', executed: 0 })
  })

  it('fail where their file is not there or cannot be loaded', async () => {
    const files = { 'broken.test.mjs': "throw new Error('not today')" }
    const evidence = await evidenceOf(files, { broken: tests('broken.test.mjs'), none: tests('none.test.mjs') })
    expect(evidence['broken']).toMatchObject({ outcome: 'failed', executed: 0 })
    expect(evidence['broken']?.notes.join('\n')).toContain('not today')
    expect(evidence['none']).toMatchObject({ outcome: 'failed', executed: 0 })
  })
})

describe('a suite', () => {
  it('that lacks a tool is missing, and says all that says how to get it', async () => {
    const says = 'mill is not there. Install it.\nTried:\n  go is not there'
    const script = suiteThat(`console.log('seed 7'); console.error(${JSON.stringify(says)}); process.exitCode = 3`)
    const { made } = await evidenceOf({ 'made.mjs': script }, { made: suite })
    expect(made).toMatchObject({ outcome: 'missing', notes: [says] })
  })

  it('that skipped a case is missing, and one that also failed has failed', async () => {
    const skipped = { name: 'clone', outcome: 'skipped', message: 'no books' }
    const failed = { name: 'push', outcome: 'failed', message: 'lost' }
    const summary = { executed: 1, failed: 0, cases: [{ name: 'api', outcome: 'passed' }, skipped] }
    const missing = await evidenceOf({ 'made.mjs': suiteThat(`report(${JSON.stringify(summary)})`) }, { made: suite })
    expect(missing['made']).toMatchObject({ outcome: 'missing', notes: ['skipped: clone: no books'], failures: [] })
    const both = { executed: 1, failed: 1, cases: [failed, skipped] }
    const script = suiteThat(`report(${JSON.stringify(both)}); console.log('raw'); process.exitCode = 1`)
    const found = await evidenceOf({ 'made.mjs': script }, { made: suite })
    expect(found['made']).toMatchObject({ outcome: 'failed', failures: [{ title: 'push', message: 'lost' }] })
    expect(messagesOf(found['made'] as Evidence)).toEqual(['push: lost', 'skipped: clone: no books', 'raw'])
  })

  it('that cannot be begun has failed, and the next one is run', async () => {
    const script = suiteThat('report({ executed: 1, failed: 0, cases: [] })')
    const checks = { shell: { ...suite, script: 'shell' }, made: suite }
    const evidence = await evidenceOf({ 'made.mjs': script }, checks)
    expect(evidence['shell']).toMatchObject({ outcome: 'failed', executed: 0 })
    expect(evidence['made']).toMatchObject({ outcome: 'passed', executed: 1 })
  })
})

it('gives no settings of nodes and of load to what it runs', async () => {
  for (const name of ['LOAD_BASE_URL', 'GUTS_API_PORT', 'OTEL_EXPORTER_OTLP_ENDPOINT']) {
    process.env[name] = 'http://127.0.0.1:9'
    onTestFinished(() => void Reflect.deleteProperty(process.env, name))
  }
  const script = suiteThat(`
    const found = Object.keys(process.env).filter((name) => /^(LOAD|GUTS|OTEL)_/.test(name))
    report({ executed: 1, failed: found.length, cases: [] })
    console.log(found.join(' '), process.env.PATH === undefined ? 'no path' : '')
    process.exitCode = found.length`)
  const { made } = await evidenceOf({ 'made.mjs': script }, { made: suite })
  expect(made).toMatchObject({ outcome: 'passed', notes: [] })
})
