/** Whether a node ended where it began. */
import type { SuiteCase } from '../../harness/suite.ts'
import { grownKinds } from './memory.ts'
import type { SoakState } from './state.ts'

const MEBIBYTE = 2 ** 20
/**
 * What is free in the heap differs from one quiet moment to the next: after ten minutes it was 20 MiB more, of which 5 in the
 * allocator's arenas, after six it was 15. What leaks goes on growing, with thousands of transfers.
 */
export const GROWTH_MIB_MAX = 40

/** Each thing that is compared; what has changed is said. */
export function verdictOn(before: SoakState, after: SoakState): SuiteCase[] {
  const grownMib = (after.memory.residentBytes - before.memory.residentBytes) / MEBIBYTE
  const threads = after.threads - before.threads
  return [
    toCase(
      `resident memory: ${mib(before)} before, ${mib(after)} after; at most ${GROWTH_MIB_MAX} MiB more`,
      grownMib > GROWTH_MIB_MAX ? [`${grownMib.toFixed(0)} MiB more: ${grownKinds(before.memory, after.memory)}`] : [],
    ),
    toCase(`threads: ${before.threads} before, ${after.threads} after`, threads > 0 ? [`${threads} more`] : []),
    toCase(
      `open descriptors: ${before.descriptors.length} before, ${after.descriptors.length} after`,
      changes(before.descriptors, after.descriptors),
    ),
    toCase(
      `files in the data directory: ${before.files.length} before, ${after.files.length} after`,
      changes(before.files, after.files),
    ),
    toCase('rows in the database', changes(linesOf(before.rows), linesOf(after.rows))),
  ]
}

function toCase(name: string, findings: readonly string[]): SuiteCase {
  if (findings.length === 0) return { name, outcome: 'passed', duration_s: 0 }
  return { name, outcome: 'failed', duration_s: 0, message: findings.join('\n') }
}

/** Of lists in which the same may be several times. */
export function changes(before: readonly string[], after: readonly string[]): string[] {
  const count = new Map<string, number>()
  for (const item of after) count.set(item, (count.get(item) ?? 0) + 1)
  for (const item of before) count.set(item, (count.get(item) ?? 0) - 1)
  return [...count].flatMap(([item, more]) => (more === 0 ? [] : [`${more > 0 ? '+' : ''}${more} ${item}`]))
}

function mib({ memory }: SoakState): string {
  return `${(memory.residentBytes / MEBIBYTE).toFixed(0)} MiB`
}

function linesOf(rows: SoakState['rows']): string[] {
  return Object.entries(rows).map(([table, count]) => `${table}: ${count}`)
}
