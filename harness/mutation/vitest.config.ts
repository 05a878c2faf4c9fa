/** The tests that every mutant has to get past: those beside the code, and the properties. */
import { defineConfig } from 'vitest/config'
import { MUTATED_PARTS } from './folders.ts'

export default defineConfig({
  test: {
    // Stryker copies the whole tree, and names this file in the copy.
    root: `${import.meta.dirname}/../..`,
    include: [`src/{${MUTATED_PARTS.join(',')}}/**/*.test.ts`, 'property/**/*.{property,test}.ts'],
    testTimeout: 60_000,
  },
})
