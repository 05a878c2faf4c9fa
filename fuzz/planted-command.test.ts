import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { EXIT } from '../harness/suite.ts'
import { cleanEnvironment, ROOT } from '../integration/support/command-line.ts'
import { temporaryFolder } from '../integration/support/git.ts'
import { presentJazzerNode } from './engine/jazzer-node.ts'

const node = await presentJazzerNode(new AbortController().signal)

// Where newer libraries have not been fetched, nothing is fetched for a test.
it.skipIf(node === undefined)('the proof leaves nothing behind when a terminal interrupts it', async () => {
  using temporary = temporaryFolder('planted-command-test')
  const args = [join(ROOT, 'fuzz/planted-command.ts'), 'copy-past-its-end', 'stars-that-are-not-alone', '--time', '10m']
  const child = spawn(process.execPath, args, { env: cleanEnvironment({ TMPDIR: temporary.path }), detached: true })
  const ended = once(child, 'close')
  let said = ''
  let isStopped = false
  for await (const line of createInterface(child.stdout)) {
    said += `${line}\n`
    // All of the group, as Ctrl-C does.
    if (!isStopped && line.startsWith('delta: begins')) isStopped = process.kill(-(child.pid ?? 0), 'SIGINT')
  }
  expect((await ended)[0]).toBe(EXIT.interrupted)
  expect(readdirSync(temporary.path)).toEqual([])
  expect(said).toContain('0 passed, 0 failed, 2 skipped')
})
