import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stop as stopEsbuild } from 'esbuild'
import { afterAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../integration/support/git.ts'
import { bundleTarget } from './bundle.ts'
import { presentJazzerNode } from './jazzer-node.ts'
import { mergeInputs } from './merge.ts'

const { signal } = new AbortController()
const node = await presentJazzerNode(signal)

afterAll(stopEsbuild)

// Where newer libraries have not been fetched, nothing is fetched for a test.
describe.skipIf(node === undefined)('inputs that are kept', () => {
  const withKept = async (bundle: (folder: string) => Promise<string>) => {
    using folder = temporaryFolder('merge-test')
    const kept = join(folder.path, 'kept')
    for (const path of [kept, join(folder.path, 'run')]) mkdirSync(path)
    // Forty lines that differ in nothing that the code looks at, and one that is refused.
    for (let at = 10; at < 50; at++) writeFileSync(join(kept, `line-${at}`), `0007a${at}`)
    writeFileSync(join(kept, 'refused'), '000x')
    const options = { seed: 1, words: [], inputBytesMax: 64, makesObjects: false, signal }
    const run = { node: node ?? '', bundle: await bundle(folder.path), folder: join(folder.path, 'run'), ...options }
    const texts = (): string[] => readdirSync(kept).map((name) => readFileSync(join(kept, name), 'latin1'))
    return { merged: await mergeInputs(kept, run), texts: texts() }
  }

  it('become those that reach something', async () => {
    const { merged, texts } = await withKept(async (folder) => (await bundleTarget('pkt-line', folder)).path)
    expect(merged).toEqual({ before: 41, after: texts.length })
    expect(texts.length).toBeLessThan(20)
    expect(texts).toContain('000x')
    expect(texts.some((text) => text.startsWith('0007a'))).toBe(true)
  })

  it('stay as they are where that fails', async () => {
    const { merged, texts } = await withKept(async (folder) => {
      writeFileSync(join(folder, 'broken.cjs'), 'throw new Error("is no target")')
      return join(folder, 'broken.cjs')
    })
    expect(merged).toBeUndefined()
    expect(texts).toHaveLength(41)
  })
})
