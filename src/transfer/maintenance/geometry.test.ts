import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { temporaryFolder } from '../../../integration/support/git.ts'
import { blob, pack, whole } from '../../../integration/support/pack-maker.ts'
import { PackIndex } from '../../git/pack/index-file.ts'
import { choosePacks } from './geometry.ts'

const folder = temporaryFolder('geometry')
afterAll(() => folder[Symbol.dispose]())

/** Packs of so many objects each, after `git repack --geometric=2`. */
function repackedByGit(sizes: readonly number[], name: string): number[] {
  const repository = join(folder.path, name)
  mkdirSync(repository)
  const git = (args: readonly string[], input?: Buffer): void => {
    const { status, stderr } = spawnSync('git', args, { cwd: repository, input })
    expect({ status, stderr: stderr.toString() }).toMatchObject({ status: 0 })
  }
  git(['init', '--quiet', '--bare', '.'])
  for (const [number, size] of sizes.entries()) {
    const objects = Array.from({ length: size }, (_, at) => whole(blob(`${number} ${at}`)))
    git(['index-pack', '--stdin'], pack(objects))
  }
  git(['repack', '--geometric=2', '-d', '--quiet'])
  const packs = join(repository, 'objects/pack')
  const indexes = readdirSync(packs).filter((file) => file.endsWith('.idx'))
  return indexes.map((file) => new PackIndex(readFileSync(join(packs, file))).count).sort((a, b) => a - b)
}

function repackedByUs(sizes: readonly number[]): number[] {
  const packs = sizes.map((objects) => ({ objects }))
  const chosen = choosePacks(packs)
  const left = packs.filter((one) => !chosen.includes(one)).map(({ objects }) => objects)
  const made = chosen.length === 0 ? [] : [chosen.reduce((sum, { objects }) => sum + objects, 0)]
  return [...left, ...made].sort((a, b) => a - b)
}

it.each([
  { name: 'one pack', sizes: [3] },
  { name: 'two alike', sizes: [3, 3] },
  { name: 'a progression', sizes: [1, 2, 4, 8] },
  { name: 'a progression with one more small one', sizes: [1, 1, 2, 4, 8, 64] },
  { name: 'small ones beside a large one', sizes: [40, 3, 3, 3] },
  { name: 'small ones that grow into the next ones', sizes: [40, 3, 3, 3, 10, 17] },
  { name: 'a broken progression at its top', sizes: [1, 2, 20, 21] },
  { name: 'a broken progression in its middle', sizes: [1, 5, 6, 30, 90] },
])('chooses as C git does: $name', ({ name, sizes }) => {
  expect(repackedByUs(sizes)).toEqual(repackedByGit(sizes, name))
})

it('writes each object anew as often as what is stored doubles', () => {
  let packs: number[] = []
  let written = 0
  for (let push = 0; push < 4_096; push++) {
    packs.push(1)
    const before = packs
    const chosen = choosePacks(before.map((objects) => ({ objects })))
    written += chosen.reduce((sum, { objects }) => sum + objects, 0)
    packs = repackedByUs(before)
    expect(packs.length).toBeLessThan(13)
  }
  expect(written / 4_096).toBeLessThan(14)
})
