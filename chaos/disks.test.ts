import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Git, temporaryFolder } from '../integration/support/git.ts'
import { lastRead, problemOnDisk } from './disks.ts'
import type { Read, Refs } from './history.ts'
import { goodHistory, MAIN, REPOSITORY } from './checkers/testing.ts'

it('finds what a disk lacks, has besides, or has otherwise than it was listed, and what git finds', async () => {
  using folder = temporaryFolder('disks')
  const git = new Git(folder.path)
  await git.run('init', '--quiet', '--initial-branch=main')
  await git.commit('first')
  const oid = await git.run('rev-parse', 'HEAD')
  const path = join(folder.path, '.git')
  const listed = (refs: Refs): Read => {
    return { by: 'list', node: 'home', repository: REPOSITORY, beganMs: 1, endedMs: 2, refs }
  }
  const [main, other] = ['refs/heads/main', 'refs/heads/other']
  expect(await problemOnDisk(path, listed({ [main]: oid }))).toBeUndefined()
  expect(await problemOnDisk(path, listed({ [main]: oid, [other]: oid }))).toBe(
    `${other} is not there, and was listed as ${oid}`,
  )
  expect(await problemOnDisk(path, listed({}))).toBe(`${main} is ${oid}, and was listed as not there`)
  expect(await problemOnDisk(path, listed({ [main]: '0' }))).toBe(`${main} is ${oid}, and was listed as 0`)
  expect(await problemOnDisk(path, undefined)).toContain('nobody read it')
  expect(await problemOnDisk(join(folder.path, 'gone'), listed({}))).toMatch(/git|ENOENT/)
  const tree = await git.run('rev-parse', 'HEAD^{tree}')
  rmSync(join(path, 'objects', tree.slice(0, 2), tree.slice(2)))
  expect(await problemOnDisk(path, listed({ [main]: oid }))).toContain('fsck')
})

it('compares with the last list after healing', () => {
  const { history } = goodHistory()
  expect(lastRead(history, 'home', REPOSITORY)?.refs[MAIN]).toBe('a3')
  expect(lastRead({ ...history, healedMs: 111 }, 'home', REPOSITORY)).toBeUndefined()
  expect(lastRead({ ...history, healedMs: undefined }, 'home', REPOSITORY)).toBeUndefined()
  const reads = history.reads.map((read): Read => ({ ...read, by: 'clone' }))
  expect(lastRead({ ...history, reads }, 'home', REPOSITORY)).toBeUndefined()
})
