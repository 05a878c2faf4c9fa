/** What documents tell people and CI to run is there. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { MUTATED_FOLDERS } from '../harness/mutation/folders.ts'
import { ROOT } from '../integration/support/command-line.ts'

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
const DOCUMENTS = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', '.github/workflows/ci.yml', '.ci/run']

it.each(DOCUMENTS)('%s names only npm scripts that there are', (file) => {
  const named = Array.from(read(file).matchAll(/npm run (?:-s |--silent )?([a-z]+)/g), ([, name = '']) => name)
  expect(named.filter((name) => !(name in scripts))).toEqual([])
})

it('README names every suite', () => {
  for (const suite of [
    'property',
    'fuzz',
    'chaos',
    'load',
    'integration',
    'bench',
    'soak',
    'gate',
    'kills',
    'compat',
    'crashes',
    'mutation',
  ]) {
    expect(read('README.md'), suite).toContain(`npm run ${suite}`)
  }
})

it('the workflow gives each job a time after which it is ended, and no more rights than it needs', () => {
  const workflow = parse(read('.github/workflows/ci.yml')) as {
    permissions: object
    jobs: Record<string, { 'timeout-minutes'?: number; strategy?: object; steps: { run?: string; uses?: string }[] }>
  }
  expect(workflow.permissions).toEqual({ contents: 'read' })
  for (const [name, job] of Object.entries(workflow.jobs)) {
    expect(job['timeout-minutes'], name).toBeLessThanOrEqual(90)
    for (const { run, uses } of job.steps) expect(run ?? uses, name).toBeTypeOf('string')
  }
  const commands = Object.values(workflow.jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []))
  expect(workflow.jobs['mutation']?.strategy).toMatchObject({ matrix: { folder: MUTATED_FOLDERS } })
  // Where nothing can be mounted, some checks of the gate are skipped, and prove nothing.
  const gate = 'sudo -E env "PATH=$PATH" npm run gate -- --prove'
  for (const command of ['bash .ci/run', 'npm run fuzz', 'npm run chaos', gate]) {
    expect(
      commands.some((run) => run.startsWith(command)),
      command,
    ).toBe(true)
  }
})
