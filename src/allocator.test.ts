import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'

const MEBIBYTE = 2 ** 20

/** In a process of its own: here nobody else allocates meanwhile. */
const PROGRAM = `
  import { setImmediate as turn } from 'node:timers/promises'
  import { trimArenas } from '${new URL('allocator.ts', import.meta.url).href}'
  const held = []
  // Below what is mapped on its own; and every 100th stays, so that no end of an arena is free.
  for (let i = 0; i < 20_000; i++) held.push(new Uint8Array(8_192).fill(1))
  const fullBytes = process.memoryUsage.rss()
  for (let i = 0; i < held.length; i++) if (i % 100 !== 0) held[i] = undefined
  for (let i = 0; i < 3; i++) { gc(); await turn() }
  const trimmed = await trimArenas()
  console.log(JSON.stringify({ trimmed, again: await trimArenas(), given: fullBytes - process.memoryUsage.rss() }))
`

it.runIf(process.platform === 'linux')('gives back what is free below what is in use', () => {
  const args = ['--expose-gc', '--no-warnings', '--input-type=module', '--eval', PROGRAM]
  // As the node has it: each buffer lies in an arena.
  const env = { PATH: process.env['PATH'], MALLOC_MMAP_THRESHOLD_: String(2 ** 16) }
  const told = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', env })) as Record<string, unknown>
  expect(told).toMatchObject({ trimmed: true, again: true })
  expect(told['given']).toBeGreaterThan(100 * MEBIBYTE)
})
