import { describe, expect, it } from 'vitest'
import type { SoakState } from './state.ts'
import { GROWTH_MIB_MAX, verdictOn } from './verdict.ts'

const BEFORE: SoakState = {
  residentBytes: 200 * 2 ** 20,
  threads: 12,
  descriptors: ['guts.db', 'socket', 'socket'],
  files: ['guts.db', 'repositories/alice/large.git/HEAD ref: refs/heads/main'],
  rows: { repositories: 1, refs: 3 },
}

const findings = (after: Partial<SoakState>): string[] =>
  verdictOn(BEFORE, { ...BEFORE, ...after }).flatMap(({ message }) => message ?? [])

describe('verdictOn', () => {
  it('passes a node that ended where it began, or a little below or above in memory', () => {
    expect(findings({})).toEqual([])
    expect(findings({ residentBytes: 2 ** 20, threads: 11 })).toEqual([])
    expect(findings({ residentBytes: (200 + GROWTH_MIB_MAX) * 2 ** 20 })).toEqual([])
  })

  it.each([
    {
      name: 'memory',
      after: { residentBytes: (201 + GROWTH_MIB_MAX) * 2 ** 20 },
      says: [`${GROWTH_MIB_MAX + 1} MiB more`],
    },
    { name: 'a thread', after: { threads: 13 }, says: ['1 more'] },
    { name: 'a socket', after: { descriptors: ['guts.db', 'socket', 'socket', 'socket'] }, says: ['+1 socket'] },
    { name: 'a descriptor that is gone', after: { descriptors: ['socket', 'socket'] }, says: ['-1 guts.db'] },
    { name: 'a file', after: { files: [...BEFORE.files, 'quarantine/a/'] }, says: ['+1 quarantine/a/'] },
    { name: 'a row', after: { rows: { repositories: 2, refs: 3 } }, says: ['+1 repositories: 2\n-1 repositories: 1'] },
  ])('finds $name', ({ after, says }) => {
    expect(findings(after)).toEqual(says)
  })
})
