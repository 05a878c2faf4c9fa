import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { copyTree } from '../harness/tree-copy.ts'

/** What others have published, and what is there for lines that are hard to reach. */
const KNOWN = {
  'fuzz/advisories/list.ts': `import type { Advisory } from './advisory.ts'

export const ADVISORIES: readonly Advisory[] = []
`,
  'fuzz/reach/reaching.ts': `export const REACHING: Readonly<Record<string, Readonly<Record<string, () => Buffer>>>> = {}
`,
} as const

/**
 * A copy of the fuzzer and of all it fuzzes, with its seeds and findings alone: of what is planted there, much has been found
 * by others, or by the fuzzer in code that was whole, and here it must be found anew.
 */
export async function copyFuzzer(): ReturnType<typeof copyTree> {
  const copy = await copyTree([
    'src',
    'fuzz',
    'harness',
    'integration/support',
    'chaos/timeline',
    'package.json',
    'tsconfig.json',
  ])
  for (const [file, text] of Object.entries(KNOWN)) writeFileSync(join(copy.path, file), text)
  rmSync(join(copy.path, 'fuzz/corpus'), { recursive: true, force: true })
  return copy
}
