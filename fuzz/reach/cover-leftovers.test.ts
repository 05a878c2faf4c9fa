import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../../integration/support/git.ts'
import { runCover } from './cover.ts'

it('what a target leaves in files while its branches are counted is gone afterwards', async () => {
  using folder = temporaryFolder('cover-test')
  const [target, said] = [join(folder.path, 'target.ts'), join(folder.path, 'said')]
  writeFileSync(
    target,
    `import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
export function fuzz(data) { writeFileSync(data.toString(), tmpdir()) }`,
  )
  await runCover([{ path: target, inputs: [Buffer.from(said)] }], false, new AbortController().signal)
  expect(existsSync(readFileSync(said, 'utf8'))).toBe(false)
})
