import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { EXIT } from '../harness/suite.ts'
import { replaceOnce } from '../harness/tree-copy.ts'
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
    { args: ['--jobs', '0'], says: '--jobs is a whole number from 1 to 64' },
    { args: ['--time', '0s'], says: '--time is a time like 90s' },
    { args: ['pack', '--coverage'], says: '--coverage is of all targets together' },
    { args: ['pack', '--regression', '--input', 'x'], says: '--regression, --coverage and --input are three commands' },
    { args: ['--input', 'x'], says: '--input needs the one target' },
    { args: ['pack', '--input', 'nowhere'], says: '--input nowhere cannot be read' },
  ])('$args is wrong use', async ({ args, says }) => {
    const { exitCode, stderr } = await run(process.execPath, [join(ROOT, COMMAND), ...args])
    expect(stderr).toContain(says)
    expect(exitCode).toBe(EXIT.wrongUse)
  })

  it('of an input from elsewhere names the target as its place', async () => {
    using copy = await copyFuzzer()
    using elsewhere = temporaryFolder('fuzz-command-test')
    const input = join(elsewhere.path, 'input')
    writeFileSync(input, 'x')
    const target = join(copy.path, 'fuzz/targets/wildmatch.fuzz.ts')
    writeFileSync(
      target,
      `${readFileSync(target, 'utf8')}\nWildmatch.prototype.matches = () => { throw new Error() }\n`,
    )
    const args = [join(copy.path, COMMAND), 'wildmatch', '--input', input]
    expect((await run(process.execPath, args)).exitCode).toBe(EXIT.finding)
    const sarif = readFileSync(join(copy.path, 'reports/fuzz-regression/results.sarif'), 'utf8')
    expect(sarif).toContain('"uri": "fuzz/targets/wildmatch.fuzz.ts"')
  })

  it('shows what the committed inputs reach of each decoder, with what is missing and why', async () => {
    const { exitCode, stdout } = await run(process.execPath, [join(ROOT, COMMAND), '--coverage'])
    expect(stdout).toContain('  100 %   19 of  19  src/git/pkt-line.ts')
    expect(stdout).toContain('eight bytes hold 53 bits')
    expect(stdout).not.toContain('NOT LISTED')
    expect(stdout).toContain('1 passed, 0 failed')
    expect(exitCode).toBe(EXIT.fine)
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

// Where newer libraries have not been fetched, nothing is fetched for a test.
describe.skipIf(node === undefined)('what is found', () => {
  const TARGET = 'fuzz/targets/pkt-line.fuzz.ts'
  const ENTRY = 'export function fuzz(data: Buffer): void {\n'

  async function withDefect(condition: string) {
    const copy = await copyFuzzer()
    const file = join(copy.path, TARGET)
    const defect = `if (${condition}) throw new Error('planted')\n`
    writeFileSync(file, replaceOnce(readFileSync(file, 'utf8'), ENTRY, `${ENTRY}${defect}`, TARGET))
    rmSync(join(copy.path, 'fuzz/findings'), { recursive: true })
    const args = [COMMAND, 'pkt-line', '--time', '20s', '--jobs', '1']
    const child = spawn(process.execPath, args, { cwd: copy.path, env: cleanEnvironment() })
    const ended = once(child, 'close')
    const found = (): string[] => readdirSync(join(copy.path, 'fuzz/findings/pkt-line'))
    return { copy, child, ended, found, lines: createInterface(child.stdout) }
  }

  it('is saved before it is made smaller, which may be interrupted', async () => {
    const { copy, child, ended, found, lines } = await withDefect('data.length > 1')
    using _copy = copy
    for await (const line of lines) if (line.includes('to be made smaller')) break
    expect(found().length).toBeGreaterThan(0)
    child.kill('SIGINT')
    expect((await ended)[0]).toBe(EXIT.interrupted)
    const [name] = found()
    const summary = JSON.parse(readFileSync(join(copy.path, 'reports/fuzz/summary.json'), 'utf8')) as object
    expect(summary).toMatchObject({
      failed: 1,
      cases: [{ name: 'pkt-line', message: expect.stringContaining(`--input fuzz/findings/pkt-line/${name}`) }],
    })
  })

  it.each([
    { name: 'and made smaller, with the command that repeats it', condition: 'data.length > 1', bytes: 2 },
    {
      name: 'and named where only the fuzzer shows it',
      condition: "data.length > 1 && process.argv[1]?.includes('jazzer')",
      bytes: undefined,
    },
  ])('is saved $name', async ({ condition, bytes }) => {
    const { copy, ended, found, lines } = await withDefect(condition)
    using _copy = copy
    let said = ''
    for await (const line of lines) said += `${line}\n`
    expect((await ended)[0]).toBe(EXIT.finding)
    const file = `fuzz/findings/pkt-line/${found().join()}`
    expect(said).toContain(
      bytes === undefined ? 'the replay passes on it' : `again: npm run fuzz -- pkt-line --input ${file}`,
    )
    const { targets } = JSON.parse(readFileSync(join(copy.path, 'reports/fuzz/summary.json'), 'utf8')) as {
      targets: readonly { findings: readonly { bytes: number }[] }[]
    }
    expect(targets[0]?.findings).toMatchObject([{ kind: 'crash', file, repeats: bytes !== undefined }])
    if (bytes !== undefined) expect(targets[0]?.findings[0]?.bytes).toBe(bytes)
  })

  it('is what the next run says first, and nothing besides', async () => {
    const { copy, ended, found, lines } = await withDefect('data.length > 1')
    using _copy = copy
    for await (const line of lines) if (line === '0 passed, 1 failed') break
    await ended
    const args = [join(copy.path, COMMAND), 'pkt-line', '--time', '20s', '--jobs', '1']
    const { exitCode, stdout } = await run(process.execPath, args)
    expect(exitCode).toBe(EXIT.finding)
    expect(stdout).toContain(
      `FAILED pkt-line: fails already on fuzz/findings/pkt-line/${found().join()}: Error: planted`,
    )
    expect(stdout).not.toContain('is not instrumented')
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
