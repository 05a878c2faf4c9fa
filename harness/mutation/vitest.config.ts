/** The tests that every mutant has to get past: those beside the code, and the properties. */
import { defineConfig } from 'vitest/config'
import { MUTATED_PARTS, TESTS_VARIABLE } from './folders.ts'

const BESIDE = [`src/{${MUTATED_PARTS.join(',')}}/**/*.test.ts`]

export default defineConfig({
  test: {
    // Stryker copies the whole tree, and names this file in the copy.
    root: `${import.meta.dirname}/../..`,
    include: process.env[TESTS_VARIABLE] === 'beside' ? BESIDE : [...BESIDE, 'property/**/*.{property,test}.ts'],
    testTimeout: 60_000,
  },
})
