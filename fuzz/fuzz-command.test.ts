import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { EXIT } from '../harness/suite.ts'
import { cleanEnvironment, ROOT, run } from '../integration/support/command-line.ts'
import { temporaryFolder } from '../integration/support/git.ts'
import { glibcVersion, isEnough, presentJazzerNode } from './engine/jazzer-node.ts'
import { copyFuzzer } from './tree-copy.ts'

const COMMAND = 'fuzz/fuzz-command.ts'
const node = await presentJazzerNode(new AbortController().signal)

describe('npm run fuzz', () => {
  it.each([
    { args: ['pkt-lin'], says: 'There is no target pkt-lin; did you mean pkt-line?' },
    { args: ['--regresion'], says: 'There is no option --regresion; did you mean --regression?' },
    { args: ['--time', 'soon'], says: '--time is a time like 90s' },
    { args: ['--seed', '0'], says: '--seed is a whole number from 1' },
    { args: ['--input', 'x'], says: '--input needs the one target' },
    { args: ['pack', '--input', 'nowhere'], says: '--input nowhere cannot be read' },
  ])('$args is wrong use', async ({ args, says }) => {
    const { exitCode, stderr } = await run(process.execPath, [join(ROOT, COMMAND), ...args])
    expect(stderr).toContain(says)
    expect(exitCode).toBe(EXIT.wrongUse)
  })

  it.skipIf(isEnough(glibcVersion() ?? '0'))(
    'says how to get what it needs, where that cannot be fetched',
    async () => {
      using copy = await copyFuzzer()
      rmSync(join(copy.path, '.tools'), { force: true })
      const { exitCode, stderr } = await run(process.execPath, [join(copy.path, COMMAND)], { PATH: '/nonexistent' })
      expect(stderr).toContain('Fuzzing needs glibc 2.38 or newer')
      expect(exitCode).toBe(EXIT.toolMissing)
    },
  )

  // Where newer libraries have not been fetched, nothing is fetched for a test.
  it.skipIf(node === undefined)('leaves nothing behind when it is interrupted, but its report', async () => {
    using copy = await copyFuzzer()
    using temporary = temporaryFolder('fuzz-command-test')
    const args = [COMMAND, 'pkt-line', 'object', '--time', '10m', '--jobs', '1']
    const child = spawn(process.execPath, args, { cwd: copy.path, env: cleanEnvironment({ TMPDIR: temporary.path }) })
    const ended = Promise.withResolvers<number | null>()
    child.once('exit', ended.resolve)
    const kept = join(copy.path, 'reports/fuzz/corpus/pkt-line')
    for await (const line of createInterface(child.stdout)) if (line.startsWith('pkt-line: begins')) break
    // It searches once it keeps something.
    await expect.poll(() => existsSync(kept) && readdirSync(kept).length > 0, { timeout: 20_000 }).toBe(true)
    child.kill('SIGTERM')
    expect(await ended.promise).toBe(EXIT.interrupted)
    expect(readdirSync(temporary.path)).toEqual([])
    expect(commandLines().filter((one) => one.includes(temporary.path))).toEqual([])
    const summary = JSON.parse(readFileSync(join(copy.path, 'reports/fuzz/summary.json'), 'utf8')) as object
    expect(summary).toMatchObject({ suite: 'fuzz', executed: 0, skipped: 2 })
  })
})

function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      } catch {
        return ''
      }
    })
}
