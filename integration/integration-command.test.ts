/** What the command says to a machine where its tools are missing, to a person who mistypes, and who breaks it off. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { EXIT } from '../harness/suite.ts'
import { TOOLS } from '../harness/tool-table.ts'
import { copyTree } from '../harness/tree-copy.ts'
import { cleanEnvironment, ROOT, run } from './support/command-line.ts'
import { temporaryFolder } from './support/git.ts'

it.each([
  { args: ['browser'], exitCode: 3, says: `chromium is not there. ${TOOLS.chromium.howToGet}` },
  { args: ['containers'], exitCode: 3, says: `prometheus is not there. ${TOOLS.prometheus.howToGet}` },
  { args: ['browsers'], exitCode: 2, says: 'There is no part browsers; did you mean browser?' },
  { args: ['--seed', 'x'], exitCode: 2, says: '--seed is a whole number' },
])('$args ends with $exitCode where there is nothing but Node.js', async ({ args, exitCode, says }) => {
  using folder = temporaryFolder('no-tools')
  symlinkSync(process.execPath, join(folder.path, 'node'))
  const script = join(ROOT, 'integration/integration-command.ts')
  const result = await run(process.execPath, [script, ...args], { PATH: folder.path })
  expect(result).toMatchObject({ exitCode, stderr: expect.stringContaining(says) })
})

/** Some that end, each in its way, and one that does not. */
const TESTS = `
  import { mkdtempSync } from 'node:fs'
  import { tmpdir } from 'node:os'
  import { join } from 'node:path'
  import { beforeAll, describe, expect, it } from 'vitest'
  it('passes', () => void mkdtempSync(join(tmpdir(), 'guts-node-')))
  it('fails', () => expect(1).toBe(2))
  it.skip('is left out', () => {})
  it('does not end', () => new Promise(() => setInterval(() => {}, 1_000)))
`
const HOOK = `
  import { beforeAll, it } from 'vitest'
  beforeAll(() => { throw new Error('out of ink') })
  it('is never reached', () => {})
`

/** A copy of the tree in which these are all the tests of the part \`processes\`. */
async function treeWith(tests: Readonly<Record<string, string>>): Promise<Awaited<ReturnType<typeof copyTree>>> {
  const tree = await copyTree(['harness', 'integration', 'src', 'vitest.config.ts', 'package.json', 'tsconfig.json'])
  const folder = join(tree.path, 'integration')
  for (const name of readdirSync(folder, { encoding: 'utf8', recursive: true })) {
    if (name.endsWith('.test.ts')) rmSync(join(folder, name))
  }
  for (const [name, text] of Object.entries(tests)) writeFileSync(join(folder, name), text)
  return tree
}

interface Summary {
  readonly cases: readonly { readonly name: string; readonly outcome: string; readonly message?: string }[]
}

function summaryIn(tree: string): Summary {
  return JSON.parse(readFileSync(join(tree, 'reports/integration/summary.json'), 'utf8')) as Summary
}

it('interrupted, keeps what it learnt, and leaves nothing of what its tests had in hand', async () => {
  using tree = await treeWith({ 'some.test.ts': TESTS })
  using folder = temporaryFolder('integration')
  const script = join(tree.path, 'integration/integration-command.ts')
  const child = spawn(process.execPath, [script, 'processes'], {
    cwd: tree.path,
    env: cleanEnvironment({ TMPDIR: folder.path }),
    stdio: 'ignore',
  })
  const ended = once(child, 'exit')
  const file = join(tree.path, 'reports/integration/processes.jsonl')
  const lines = (): string[] => readFileSync(file, 'utf8').split('\n')
  await vi.waitFor(() => expect(lines().length).toBeGreaterThan(2), { timeout: 60_000, interval: 100 })
  expect(readdirSync(folder.path)).toHaveLength(1)
  child.kill('SIGINT')
  expect((await ended)[0]).toBe(EXIT.interrupted)
  expect(readdirSync(folder.path)).toEqual([])
  const told = summaryIn(tree.path).cases.map(({ name, outcome }) => `${outcome} ${name}`)
  expect(told).toEqual([
    'passed integration/some.test.ts: passes',
    'failed integration/some.test.ts: fails',
    ...told.slice(2, -1),
    'skipped processes',
  ])
})

it('tells of every test how it ended, and of a file whose hook failed why', async () => {
  using tree = await treeWith({
    'broken.test.ts': 'import "./nowhere.ts"',
    'hook.test.ts': HOOK,
    'some.test.ts': TESTS.replace(/it\('does not end.*/, "describe('a group', () => it('passes', () => {}))"),
  })
  const { exitCode } = await run(process.execPath, [join(tree.path, 'integration/integration-command.ts'), 'processes'])
  expect(exitCode).toBe(EXIT.finding)
  const { cases } = summaryIn(tree.path)
  expect(cases.map(({ name, outcome }) => `${outcome} ${name}`).toSorted()).toEqual([
    'failed integration/broken.test.ts',
    'failed integration/hook.test.ts',
    'failed integration/some.test.ts: fails',
    'passed integration/some.test.ts: a group passes',
    'passed integration/some.test.ts: passes',
    'skipped integration/hook.test.ts: is never reached',
    'skipped integration/some.test.ts: is left out',
  ])
  const messageOf = (name: string): string | undefined =>
    cases.find((one) => one.name === `integration/${name}`)?.message
  expect(messageOf('broken.test.ts')).toContain('nowhere')
  expect(messageOf('hook.test.ts')).toContain('out of ink')
  expect(messageOf('some.test.ts: fails')).toContain('expected 1 to be 2')
})
