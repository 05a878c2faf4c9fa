/** What the command says to a machine where its tools are missing, and to a person who mistypes. */
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { TOOLS } from '../harness/tool-table.ts'
import { ROOT, run } from './support/command-line.ts'
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
