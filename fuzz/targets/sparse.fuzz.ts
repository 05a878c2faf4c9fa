import assert from 'node:assert/strict'
import { SparseError, SparsePatterns, SparseBudget } from '../../src/git/object-graph/sparse-patterns.ts'
import { unlessRefused } from '../oracles/expected.ts'

/** It is in no UTF-8. */
const END_OF_PATTERNS = 0xff
/** No input of this size takes so many, or patterns could be made to take long. */
const STEPS_MAX = 10_000_000

/**
 * Patterns of a sparse checkout, up to the byte 0xff, and a path.
 *
 * Oracle: an answer within the budget, the same for what means the same, and what was added last decides.
 */
export function fuzz(data: Buffer): void {
  const end = data.indexOf(END_OF_PATTERNS)
  const patterns = end < 0 ? data : data.subarray(0, end)
  const path = end < 0 ? Buffer.from('a/b') : data.subarray(end + 1)
  const lines = (...more: string[]): Buffer => Buffer.concat([patterns, Buffer.from(`\n${more.join('\n')}`)])
  for (const isFolder of [false, true]) {
    const plain = judge(patterns, path, isFolder)
    assert.equal(judge(lines('# nothing', ''), path, isFolder), plain, 'a comment changed a verdict')
    assert.equal(judge(lines('*'), path, isFolder), 'in')
    assert.equal(judge(lines('!*'), path, isFolder), 'out')
    assert.equal(judge(lines('*/'), path, isFolder), isFolder ? 'in' : plain)
    if (path.length > 0) assert.equal(judge(lines('**/*'), path, isFolder), 'in')
  }
}

function judge(patterns: Buffer, path: Buffer, isFolder: boolean): string | undefined {
  return unlessRefused([SparseError], () =>
    new SparsePatterns(patterns, new SparseBudget({ steps: STEPS_MAX })).judge(
      path,
      path.lastIndexOf(0x2f) + 1,
      isFolder,
    ),
  )
}
