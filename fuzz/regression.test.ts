import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stop as stopEsbuild } from 'esbuild'
import { afterAll, describe, expect, it } from 'vitest'
import { ROOT } from '../integration/support/command-line.ts'
import { temporaryFolder } from '../integration/support/git.ts'
import { bundle, notDriven } from './engine/bundle.ts'
import { whyNotDriven } from './engine/coverage.ts'
import { replay } from './engine/replay.ts'
import { replayTarget } from './regression.ts'
import { TARGET_NAMES, targetOf } from './targets.ts'

const never = new AbortController().signal

afterAll(stopEsbuild)

describe('the committed inputs', () => {
  it.each(TARGET_NAMES)('of %s pass, and drive the shipped code that it is for', async (name) => {
    const { inputs, problems } = await replayTarget(name, never)
    expect(problems.join('\n')).toBe('')
    expect(inputs).toBeGreaterThan(5)
  })
})

describe('a target that fuzzes a copy', () => {
  const pktLine = join(ROOT, 'src/git/pkt-line.ts')
  const target = targetOf('pkt-line')
  const input = { name: 'a line', bytes: Buffer.from('0005x') }

  it.each([
    {
      name: 'beside the shipped module is told by the functions that never run',
      code: `import { encodePktLine } from '${pktLine}'
import { decodePktLine } from './pkt-line.ts'
export function fuzz(data) { decodePktLine(encodePktLine(data)) }`,
      modules: ['src/git/protocol/side-band.ts'],
      says: ['src/git/pkt-line.ts: decodePktLine is never entered', 'src/git/pkt-line.ts: hex4 is never entered'],
    },
    {
      name: 'alone is told by the modules of its bundle',
      code: `import { decodePktLine } from './pkt-line.ts'
export function fuzz(data) { decodePktLine(data) }`,
      modules: ['src/git/pkt-line.ts', 'src/git/protocol/side-band.ts'],
      says: ['src/git/pkt-line.ts never runs'],
    },
    {
      name: 'and only loads the shipped module is told by what stands still',
      code: `import { encodePktLine } from '${pktLine}'
encodePktLine('x')
export function fuzz() { encodePktLine('y') }`,
      modules: ['src/git/protocol/side-band.ts'],
      says: ['src/git/pkt-line.ts stands still'],
    },
  ])('$name', async ({ code, modules, says }) => {
    using folder = temporaryFolder('copied-target')
    mkdirSync(join(folder.path, 'protocol'))
    const copy = readFileSync(pktLine, 'utf8').replace("'./protocol/", `'${ROOT}/src/git/protocol/`)
    writeFileSync(join(folder.path, 'pkt-line.ts'), copy)
    writeFileSync(join(folder.path, 'target.ts'), code)
    const bundled = await bundle(join(folder.path, 'target.ts'), join(folder.path, 'target.cjs'))
    expect(notDriven(target, bundled)).toEqual(modules)
    const { coverage, failures } = await replay(bundled, [input], never)
    expect(failures).toEqual([])
    expect(coverage && whyNotDriven(target.drives, coverage)).toEqual(expect.arrayContaining(says))
  })
})
