import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stop as stopEsbuild } from 'esbuild'
import { afterAll, expect, it } from 'vitest'
import { temporaryFolder } from '../../integration/support/git.ts'
import { bundle } from './bundle.ts'
import { BundleMap } from './coverage.ts'

afterAll(stopEsbuild)

// A source map names its sources by URLs.
it.each(['plain', 'with spaces', '<b> & "quotes"', '100 %25', 'ä # ? [1]'])(
  'modules are known in a tree whose folder is named: %s',
  async (name) => {
    using folder = temporaryFolder('coverage-test')
    const root = join(folder.path, name)
    mkdirSync(join(root, 'src'), { recursive: true })
    writeFileSync(join(root, 'src/a.ts'), 'export function fuzz(): number {\n  return 1\n}\n')
    const { path } = await bundle(join(root, 'src/a.ts'), join(folder.path, 'out.cjs'))
    const map = new BundleMap(path, readFileSync(path, 'utf8'), root)
    expect(map.coverage([]).map(({ module }) => module)).toEqual(['src/a.ts'])
  },
)
