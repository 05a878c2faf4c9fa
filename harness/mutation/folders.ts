import { globSync } from 'node:fs'
import { dirname } from 'node:path'
import { DECODERS } from '../../fuzz/reach/decoders.ts'
import { ROOT } from '../../integration/support/command-line.ts'

/** What is mutated, below `src/`. */
export const MUTATED_PARTS = ['git', 'validation', 'resilience'] as const
/** Of mutants that a test kills, in each file that reads what others wrote. */
export const GOAL_PERCENT = 90

/** Which tests have a go at the mutants: `beside` for those beside the code, anything else for the properties as well. */
export const TESTS_VARIABLE = 'MUTATION_TESTS'

/** Relative to the repository's root. */
export const MUTATED_FILES: readonly string[] = globSync(`src/{${MUTATED_PARTS.join(',')}}/**/*.ts`, { cwd: ROOT })
  .filter((file) => !file.endsWith('.test.ts') && !file.endsWith('/testing.ts'))
  .sort()
export const MUTATED_FOLDERS: readonly string[] = Array.from(new Set(MUTATED_FILES.map((file) => dirname(file)))).sort()

const HELD: ReadonlySet<string> = new Set(DECODERS)

/** Whether the goal is for this file: the others are told, and have none. */
export function isHeld(file: string): boolean {
  return HELD.has(file) || file.startsWith('src/validation/')
}
