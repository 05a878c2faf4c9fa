import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Git, temporaryFolder } from '../integration/support/git.ts'
import { type Proof, ProveState, treeHash } from './prove-state.ts'

const proof = (defect: Proof['defect'], outcome: Proof['outcome'], seed = 1): Proof => ({
  defect,
  outcome,
  command: '',
  seed,
  duration_s: 1,
  said: '',
})

describe('the state of an interrupted run', () => {
  it('goes on past what was caught only, with its seed, and only for the same tree', () => {
    using folder = temporaryFolder('prove-state')
    const file = join(folder.path, 'state.json')
    const first = new ProveState(file, 'tree')
    first.addSound(['npx a'])
    for (const outcome of ['blind', 'wrong reason', 'unsound', 'not planted', 'missing'] as const)
      first.addProof(proof('count-trusted', outcome))
    first.addProof(proof('health-constant', 'caught', 5))
    const second = new ProveState(file, 'tree')
    expect(second.caught(['count-trusted', 'health-constant'])).toEqual([proof('health-constant', 'caught', 5)])
    expect(second.caught(['count-trusted'])).toEqual([])
    expect([second.isSound('npx a'), second.isSound('npx b')]).toEqual([true, false])
    const other = new ProveState(file, 'another tree')
    expect(other.caught(['health-constant'])).toEqual([])
    expect(other.isSound('npx a')).toBe(false)
  })

  it('is gone once all that was chosen is done, but not what another run has caught', () => {
    using folder = temporaryFolder('prove-state')
    const file = join(folder.path, 'state.json')
    const state = new ProveState(file, 'tree')
    state.addProof(proof('health-constant', 'caught'))
    state.addProof(proof('count-trusted', 'caught'))
    state.finish(['count-trusted'])
    expect(new ProveState(file, 'tree').caught(['count-trusted', 'health-constant'])).toHaveLength(1)
    state.finish(['health-constant'])
    expect(existsSync(file)).toBe(false)
  })
})

it('a tree has another hash with every file and link that git would add, whatever else lies there', async () => {
  using folder = temporaryFolder('tree-hash')
  const git = new Git(folder.path)
  await git.run('init', '--quiet')
  writeFileSync(join(folder.path, 'known'), 'a\n')
  await git.commit('one')
  const inner = join(folder.path, 'inner')
  mkdirSync(inner)
  await new Git(inner).run('init', '--quiet')
  writeFileSync(join(inner, 'file'), 'x\n')
  await new Git(inner).commit('inner')
  symlinkSync('nowhere', join(folder.path, 'link'))
  const hashes = [treeHash(folder.path)]
  rmSync(join(folder.path, 'link'))
  symlinkSync('elsewhere', join(folder.path, 'link'))
  hashes.push(treeHash(folder.path))
  writeFileSync(join(folder.path, 'new'), 'b\n')
  hashes.push(treeHash(folder.path))
  writeFileSync(join(folder.path, 'known'), 'c\n')
  hashes.push(treeHash(folder.path))
  expect(new Set(hashes).size).toBe(4)
  expect(treeHash(folder.path)).toBe(hashes[3])
})
