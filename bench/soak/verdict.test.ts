import { describe, expect, it } from 'vitest'
import type { SoakState } from './state.ts'
import type { MemoryState } from './memory.ts'
import { GROWTH_MIB_MAX, verdictOn } from './verdict.ts'

/** @param mib 100 of them files */
function memory(mib: number): MemoryState {
  const [files, mainArena] = [100 * 2 ** 20, (mib - 100) * 2 ** 20]
  const mapped = { mainArena, otherArenas: 0, anonymous: 0, stacks: 0, files, cleanFiles: files }
  return { residentBytes: mib * 2 ** 20, mapped, heapBytes: 0, heapUsedBytes: 0, externalBytes: 0, cpuSeconds: 0 }
}

const BEFORE: SoakState = {
  memory: memory(200),
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
    expect(findings({ memory: memory(150), threads: 11 })).toEqual([])
    expect(findings({ memory: memory(200 + GROWTH_MIB_MAX) })).toEqual([])
  })

  it.each([
    {
      name: 'memory',
      after: { memory: memory(201 + GROWTH_MIB_MAX) },
      says: [`${GROWTH_MIB_MAX + 1} MiB more: mainArena +${GROWTH_MIB_MAX + 1}`],
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
