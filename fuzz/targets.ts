/** All fuzz targets: each is a file in `targets/`, and is found there. */
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { FuzzTarget } from './target.ts'

const FOLDER = join(import.meta.dirname, 'targets')
const SUFFIX = '.fuzz.ts'

export const TARGET_NAMES: readonly string[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith(SUFFIX))
  .map((file) => basename(file, SUFFIX))
  .sort()

const TARGETS: ReadonlyMap<string, FuzzTarget> = new Map(
  await Promise.all(
    TARGET_NAMES.map(async (name) => {
      const { target } = (await import(targetPath(name))) as { readonly target: FuzzTarget }
      return [name, target] as const
    }),
  ),
)

/** @throws Error where there is no such target */
export function targetOf(name: string): FuzzTarget {
  const target = TARGETS.get(name)
  if (target === undefined) throw new Error(`There is no fuzz target ${name}`)
  return target
}

export function targetPath(name: string): string {
  return join(FOLDER, `${name}${SUFFIX}`)
}
