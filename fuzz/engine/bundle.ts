/**
 * One file for a target and all it drives. Jazzer.js instruments what it is told to by file name, and TypeScript whose
 * types are stripped on loading not at all, without a word: so what is fuzzed is a bundle, as CommonJS.
 */
import { join } from 'node:path'
import { build } from 'esbuild'
import { ROOT } from '../../integration/support/command-line.ts'
import type { FuzzTarget } from '../target.ts'
import { targetPath } from '../targets.ts'

export interface Bundle {
  readonly path: string
  /** Files of the repository that contribute code, relative to its root. */
  readonly modules: readonly string[]
}

/** @param entry path of a module that exports `fuzz` and maybe `simpler`; what only its other exports use stays outside */
export async function bundle(entry: string, outputPath: string): Promise<Bundle> {
  const { metafile } = await build({
    stdin: {
      contents: [
        `import * as target from ${JSON.stringify(entry)}`,
        'export const { fuzz, simpler } = { fuzz: target.fuzz, simpler: target.simpler }',
      ].join('\n'),
      resolveDir: ROOT,
      sourcefile: 'fuzz-entry.js',
    },
    outfile: outputPath,
    absWorkingDir: ROOT,
    bundle: true,
    treeShaking: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    sourcemap: 'inline',
    metafile: true,
    logLevel: 'silent',
  })
  const [output] = Object.values(metafile.outputs)
  const modules = Object.entries(output?.inputs ?? {}).flatMap(([path, { bytesInOutput }]) =>
    bytesInOutput > 0 ? [path] : [],
  )
  return { path: outputPath, modules }
}

export function bundleTarget(name: string, folder: string): Promise<Bundle> {
  return bundle(targetPath(name), join(folder, `${name}.cjs`))
}

/** @returns modules that the target should drive and that are not in its bundle: it fuzzes something else */
export function notDriven({ drives }: FuzzTarget, { modules }: Bundle): string[] {
  return Object.keys(drives).filter((module) => !modules.includes(module))
}
