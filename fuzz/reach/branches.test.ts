import type { Profiler } from 'node:inspector'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { run } from '../../integration/support/command-line.ts'
import { temporaryFolder } from '../../integration/support/git.ts'
import { ModuleBranches } from './branches.ts'

/** In a process of its own, as vitest counts in this one. @returns names of the branches that the calls do not take */
async function missing(source: string, calls: string): Promise<string[]> {
  using folder = temporaryFolder('branches')
  const path = join(folder.path, 'counted.ts')
  writeFileSync(path, source)
  const program = `
    import { Session } from 'node:inspector'
    const session = new Session()
    session.connect()
    session.post('Profiler.enable')
    session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
    const { f } = await import(${JSON.stringify(path)})
    ${calls}
    session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      console.log(JSON.stringify(result.find(({ url }) => url === ${JSON.stringify(pathToFileURL(path).href)}).functions))
    })`
  const runner = join(folder.path, 'runner.mjs')
  writeFileSync(runner, program)
  const { stdout } = await run(process.execPath, [runner])
  const module = new ModuleBranches(source)
  const taken = module.taken(JSON.parse(stdout) as Profiler.FunctionCoverage[])
  return module.branches.flatMap(({ line, name }, number) => (taken.includes(number) ? [] : [`${line} ${name}`]))
}

describe('branches that are not taken', () => {
  it.each([
    {
      name: 'an else that is not written',
      source: 'export function f(a: number): number {\n  if (a > 1) return 1\n  return 2\n}\n',
      calls: 'f(2)',
      says: ['2 else in: if (a > 1) return 1'],
    },
    {
      name: 'a consequence, in braces, behind types',
      source:
        'export function f(a: number | undefined): void {\n  if (a === undefined) {\n    a = 1\n  } else a = 2\n}\n',
      calls: 'f(2)',
      says: ['2 if in: if (a === undefined) {'],
    },
    {
      name: 'the one value of two',
      source: 'export const f = (a: boolean): number => (a ? 1 : 2)\n',
      calls: 'f(true)',
      says: ['1 : in: export const f = (a: boolean): number => (a ? 1 : 2)'],
    },
    {
      name: 'what stands behind operators, each by its number',
      source: 'export const f = (a?: number, b?: number) => a ?? b ?? 3\n',
      calls: 'f(1)',
      says: [
        '1 ?? in: export const f = (a?: number, b?: number) => a ?? b ?? 3',
        '1 ?? in: export const f = (a?: number, b?: number) => a ?? b ?? 3 (2)',
      ],
    },
    {
      name: 'a case',
      source:
        "export function f(a: 'x' | 'y'): number {\n  switch (a) {\n    case 'x':\n      return 1\n    default:\n      return 2\n  }\n}\n",
      calls: "f('x')",
      says: ['5 case in: default:'],
    },
    {
      name: 'all of a function that is never called',
      source: 'export const f = () => 1\nexport function g(a: number) {\n  return a > 1 && a < 3\n}\n',
      calls: 'f()',
      says: ['3 && in: return a > 1 && a < 3'],
    },
    { name: 'none', source: 'export const f = (a: boolean) => (a ? 1 : 2)\n', calls: 'f(true); f(false)', says: [] },
  ])('are $name', async ({ source, calls, says }) => {
    expect(await missing(source, calls)).toEqual(says)
  })
})
