/** What is mutated, below `src/`. */
export const MUTATED_FOLDERS = ['git', 'validation', 'resilience'] as const
/** Of mutants that a test kills, where bytes from outside are read. */
export const GOAL_PERCENT = 90
/** Below `src/`: what reads bytes from outside. The other files are told, and have no goal. */
export const HELD_FOLDERS = ['git', 'validation'] as const
