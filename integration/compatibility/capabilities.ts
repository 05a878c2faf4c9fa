/** The rows of the matrix, in the order of the page. To add one, add it to its group's list. */
import type { Capability, GROUPS } from './capability.ts'
import { FETCH_ROWS, FILTER_ROWS, HISTORY_ROWS } from './fetch-capabilities.ts'
import { AROUND_ROWS, PUSH_ROWS } from './push-capabilities.ts'

const ROWS_OF: Readonly<Record<(typeof GROUPS)[number], readonly Omit<Capability, 'group'>[]>> = {
  'Clone and fetch': FETCH_ROWS,
  'A part of history': HISTORY_ROWS,
  'A part of the objects': FILTER_ROWS,
  Push: PUSH_ROWS,
  'Around it': AROUND_ROWS,
}

export const CAPABILITIES = Object.entries(ROWS_OF).flatMap(([group, rows]) =>
  rows.map((row): Capability => ({ ...row, group: group as (typeof GROUPS)[number] })),
)

/** Files of this folder that say what a row is, and when it works: changed, they make every recorded outcome doubtful. */
export const ROW_SOURCES = [
  'capability.ts',
  'cell.ts',
  'fetch-capabilities.ts',
  'push-capabilities.ts',
  'wire-record.ts',
]
