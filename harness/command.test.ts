/** How a command of the harness ends, whatever its `main` makes of an interruption. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { ROOT, run } from '../integration/support/command-line.ts'
import { temporaryFolder } from '../integration/support/git.ts'
import { EXIT } from './suite.ts'

const INTERRUPTED = `process.kill(process.pid, 'SIGINT')
  await new Promise((resolve) => void signal.addEventListener('abort', resolve))`

describe('a command', () => {
  it.each([
    { name: 'that returns', main: 'return 1', exitCode: 1, says: '' },
    { name: 'that fails', main: 'throw new Error("out of ink")', exitCode: 1, says: 'out of ink' },
    { name: 'that is interrupted and returns', main: `${INTERRUPTED}; return 0`, exitCode: EXIT.interrupted, says: '' },
    {
      name: 'that is interrupted and says so',
      main: `${INTERRUPTED}; signal.throwIfAborted()`,
      exitCode: EXIT.interrupted,
      says: '',
    },
    {
      name: 'that is interrupted and fails for it',
      main: `${INTERRUPTED}; throw new Error('out of ink')`,
      exitCode: EXIT.interrupted,
      says: 'out of ink',
    },
  ])('$name ends with $exitCode', async ({ main, exitCode, says }) => {
    const script = `import { runCommand } from ${JSON.stringify(join(ROOT, 'harness/command.ts'))}
      const timer = setInterval(() => {}, 1_000)
      await runCommand('', async (args, signal) => { ${main} }).finally(() => clearInterval(timer))`
    const result = await run(process.execPath, ['--input-type=module', '-e', script])
    expect(result.exitCode).toBe(exitCode)
    expect(result.stderr).toContain(says)
  })
})

it.each([
  { name: 'at the end of its scope', end: '' },
  { name: 'with the process', end: 'process.exit(0)' },
  { name: 'with a process that is interrupted twice', end: 'interrupt(); interrupt()' },
])('a folder of a run, and its child that writes there, are gone $name', async ({ end }) => {
  using folder = temporaryFolder('runs')
  const writer = join(folder.path, 'writer.mjs')
  writeFileSync(
    writer,
    `import { writeFileSync } from 'node:fs'
    for (let at = 0; ; at++) {
      writeFileSync(process.env.TMPDIR + '/' + at, '')
      if (at === 1) console.log(process.pid)
    }`,
  )
  const imported = (file: string): string => JSON.stringify(join(ROOT, 'harness', file))
  const script = `import { spawn } from 'node:child_process'
    import { once } from 'node:events'
    import { runCommand } from ${imported('command.ts')}
    import { groupEndsWith } from ${imported('process-group.ts')}
    import { runFolder } from ${imported('run-folder.ts')}
    const interrupt = () => process.emit('SIGINT', 'SIGINT')
    await runCommand('', async (args, signal) => {
      using folder = runFolder('writer')
      const env = { ...process.env, TMPDIR: folder.path }
      const child = spawn(process.execPath, [${JSON.stringify(writer)}], { env, detached: true })
      using group = groupEndsWith(child, signal)
      const [pid] = await once(child.stdout, 'data')
      console.log(String(pid))
      ${end}
      const closed = once(child, 'close')
      process.kill(-child.pid, 'SIGKILL')
      await closed
      return 0
    })`
  const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', script], { TMPDIR: folder.path })
  expect(stderr).not.toContain('Error')
  expect(Number(stdout)).toBeGreaterThan(0)
  expect(readdirSync(folder.path)).toEqual(['writer.mjs'])
  // It was killed as the last thing of all, and may be dying still.
  await vi.waitFor(() => expect(isAlive(stdout.trim())).toBe(false), { timeout: 10_000 })
})

function isAlive(pid: string): boolean {
  try {
    return !readFileSync(`/proc/${pid}/status`, 'utf8').includes('Z (zombie)')
  } catch {
    return false
  }
}
