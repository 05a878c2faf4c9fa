/** The command as a person runs it: what it refuses, and what an interruption leaves. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it, onTestFinished } from 'vitest'
import { killGroup } from '../harness/process-group.ts'
import { EXIT } from '../harness/suite.ts'
import { toolThere } from '../harness/tools.ts'
import { copyTree } from '../harness/tree-copy.ts'
import { cleanEnvironment, ROOT, run } from '../integration/support/command-line.ts'
import { temporaryFolder } from '../integration/support/git.ts'

const COMMAND = 'load/load-command.ts'

it.each([
  { name: 'a script that there is not', args: ['pusch'], given: {}, says: 'did you mean push?' },
  { name: 'a variable that there is not', args: [], given: { LOAD_TOKENS: 'x' }, says: 'did you mean LOAD_TOKEN?' },
])('npm run load refuses $name before it does anything', async ({ args, given, says }) => {
  const { exitCode, stdout, stderr } = await run(process.execPath, [join(ROOT, COMMAND), ...args], given)
  expect(stderr).toContain(says)
  expect({ exitCode, stdout }).toEqual({ exitCode: EXIT.wrongUse, stdout: '' })
})

it.skipIf(toolThere('k6') === undefined).each([
  { who: 'the command alone', to: (pid: number) => pid },
  // As a terminal does: git and the node get the signal, too.
  { who: 'all of its processes', to: (pid: number) => -pid },
])('interrupted while it fills the node, by a signal to $who, it leaves its report only', async ({ to }) => {
  using copy = await copyTree(['src', 'load', 'harness', 'integration/support', 'package.json', 'tsconfig.json'])
  using temporary = temporaryFolder('load-command-test')
  const child = spawn(process.execPath, [COMMAND, 'api', 'push', '--seed', '7'], {
    cwd: copy.path,
    env: cleanEnvironment({ TMPDIR: temporary.path }),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => killGroup(child))
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text))
  const ended = once(child, 'close')
  for await (const line of createInterface(child.stdout)) if (line.endsWith('filling it')) break
  // A first repository is being made, and packs for a minute of pushes are to come.
  const begun = (): boolean =>
    readdirSync(temporary.path).some((name) => existsSync(join(temporary.path, name, 'load-7-1')))
  await expect.poll(begun, { timeout: 20_000 }).toBe(true)
  process.kill(to(child.pid ?? 0), 'SIGINT')
  expect([...(await ended), complaints]).toEqual([EXIT.interrupted, null, '\nSIGINT: closing down what was begun\n'])
  expect(readdirSync(temporary.path)).toEqual([])
  const reports = join(copy.path, 'reports/load')
  expect(readdirSync(reports).sort()).toEqual(['junit.xml', 'report.txt', 'summary.json'])
  expect(JSON.parse(readFileSync(join(reports, 'summary.json'), 'utf8'))).toMatchObject({
    suite: 'load',
    seed: 7,
    executed: 0,
    skipped: 2,
  })
})
