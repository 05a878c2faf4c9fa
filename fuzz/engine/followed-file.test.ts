import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../../integration/support/git.ts'
import { FollowedFile } from './followed-file.ts'

it('gives each line once, whatever pieces it is written in', () => {
  using folder = temporaryFolder('followed')
  const path = join(folder.path, 'said')
  writeFileSync(path, '')
  const lines: string[] = []
  using followed = new FollowedFile(path, (line) => lines.push(line))
  const long = 'é'.repeat(100_000)
  for (const piece of ['one\ntw', 'o', '\n\nthree', `\n${long}`, '\nlast']) {
    appendFileSync(path, piece)
    followed.read()
  }
  expect(lines).toEqual(['one', 'two', '', 'three', long])
  followed.finish()
  expect(lines.slice(5)).toEqual(['last'])
})
