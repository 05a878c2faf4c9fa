import { globSync } from 'node:fs'
import { dirname } from 'node:path'
import { ROOT } from '../../integration/support/command-line.ts'

/** What is mutated, below `src/`. */
export const MUTATED_PARTS = ['git', 'validation', 'resilience'] as const
/** Of mutants that a test kills, in each file of these: they read bytes from outside. */
export const GOAL_PERCENT = 90
export const HELD_PARTS = ['git', 'validation'] as const

/** Relative to the repository's root. */
export const MUTATED_FILES: readonly string[] = globSync(`src/{${MUTATED_PARTS.join(',')}}/**/*.ts`, { cwd: ROOT })
  .filter((file) => !file.endsWith('.test.ts') && !file.endsWith('/testing.ts'))
  .sort()
export const MUTATED_FOLDERS: readonly string[] = Array.from(new Set(MUTATED_FILES.map((file) => dirname(file)))).sort()
