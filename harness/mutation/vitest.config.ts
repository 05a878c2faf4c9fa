/** The tests that every mutant has to get past: those beside the code, and the properties. */
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { MUTATED_PARTS, TESTS_VARIABLE } from './folders.ts'

const BESIDE = [`src/{${MUTATED_PARTS.join(',')}}/**/*.test.ts`]

/** By file: the longest time it took, which is that of all its tests. */
const longestMs = new Map<string, number>()

/**
 * What kills a mutant in a millisecond comes before what starts git for ten seconds. vitest has it the other way round, so
 * that the longest files are not left for the end: 1,575 mutants of src/git/fsck were to take three hours.
 */
class ShortestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    for (const file of files) {
      const took = this.ctx.cache.getTestSpecificationResult(file)?.duration ?? 0
      longestMs.set(file.moduleId, Math.max(took, longestMs.get(file.moduleId) ?? 0))
    }
    return files.toSorted((a, b) => (longestMs.get(a.moduleId) ?? 0) - (longestMs.get(b.moduleId) ?? 0))
  }
}

export default defineConfig({
  test: {
    // Stryker copies the whole tree, and names this file in the copy.
    root: `${import.meta.dirname}/../..`,
    include: process.env[TESTS_VARIABLE] === 'beside' ? BESIDE : [...BESIDE, 'property/**/*.{property,test}.ts'],
    testTimeout: 60_000,
    sequence: { sequencer: ShortestFirst },
  },
})
