import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { temporaryFolder } from '../integration/support/git.ts'
import { groupEndsAfter } from './process-group.ts'

const STAYS = 'setInterval(() => {}, 1_000)'
/** Says which worker it has, and saves something when it is asked to end, though not at once. */
const LEADER = `const worker = require('node:child_process').spawn(process.execPath, ['-e', '${STAYS}'])
  process.on('SIGTERM', () => setImmediate(() => {
    require('node:fs').writeFileSync(process.argv[1], 'all that was found')
    process.exit(7)
  }))
  worker.once('spawn', () => console.log(worker.pid))`

it('a group ends after its leader, which has saved what it had', async () => {
  using folder = temporaryFolder('group')
  const saved = join(folder.path, 'saved')
  const child = spawn(process.execPath, ['-e', LEADER, saved], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
  const controller = new AbortController()
  let worker = 0
  {
    using _group = groupEndsAfter(child, controller.signal)
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    worker = Number(line)
    controller.abort()
    expect(await once(child, 'exit')).toEqual([7, null])
    expect(isThere(worker)).toBe(true)
  }
  expect(readFileSync(saved, 'utf8')).toBe('all that was found')
  await vi.waitFor(() => expect(isThere(worker)).toBe(false), { timeout: 10_000 })
})

function isThere(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/status`, 'utf8').includes('Z (zombie)')
  } catch {
    return false
  }
}
