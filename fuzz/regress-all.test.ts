import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { EXIT } from '../harness/suite.ts'
import { cleanEnvironment, run } from '../integration/support/command-line.ts'
import { copyFuzzer } from './tree-copy.ts'

const COMMAND = 'fuzz/fuzz-command.ts'

function summaryIn(path: string): object {
  return JSON.parse(readFileSync(join(path, 'reports/fuzz-regression/summary.json'), 'utf8')) as object
}

describe('npm run fuzz -- --regression', () => {
  it('names what is damaged of the committed inputs, and tries all else', async () => {
    using copy = await copyFuzzer()
    writeFileSync(join(copy.path, 'fuzz/seeds/capabilities.json'), '{"a": "MDAw')
    mkdirSync(join(copy.path, 'fuzz/findings/pkt-line/folder'), { recursive: true })
    const targets = ['capabilities', 'pkt-line', 'wildmatch']
    const { exitCode, stdout } = await run(process.execPath, [join(copy.path, COMMAND), ...targets, '--regression'])
    expect(stdout).toContain('FINDING capabilities: cannot be replayed: CorpusError: fuzz/seeds/capabilities.json')
    expect(stdout).toContain(
      'FINDING pkt-line: cannot be replayed: CorpusError: fuzz/findings/pkt-line/folder is no file',
    )
    expect(stdout).toContain('1 passed, 2 failed')
    expect(exitCode).toBe(EXIT.finding)
    expect(summaryIn(copy.path)).toMatchObject({ passed: 1, failed: 2 })
  })

  it('says what it has done where it is interrupted, and blames no input for that', async () => {
    using copy = await copyFuzzer()
    // As from a terminal, whose signals go to all of the group.
    const options = { cwd: copy.path, env: cleanEnvironment(), detached: true }
    const child = spawn(process.execPath, [COMMAND, '--regression'], options)
    const ended = once(child, 'close')
    let said = ''
    let isStopped = false
    for await (const line of createInterface(child.stdout)) {
      said += `${line}\n`
      if (!isStopped) process.kill(-(child.pid ?? 0), 'SIGINT')
      isStopped = true
    }
    expect((await ended)[0]).toBe(EXIT.interrupted)
    expect(said).not.toContain('FINDING')
    expect(said).toMatch(/[0-9] passed, 0 failed, [0-9]+ skipped\n$/)
    expect(summaryIn(copy.path)).toMatchObject({ failed: 0 })
  })
})
