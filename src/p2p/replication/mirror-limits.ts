import { CHANGES_MAX, ENTRY_BYTES_MAX } from '../../storage/repositories/ref-log.ts'
import { WANTS_MAX } from '../wire/messages.ts'

/** What a mirror holds of its home's log at once; beyond that it is staged, and others get the event loop in between. */
export const MIRROR_LIMITS = {
  /** Of entries as they are signed: as large as one may be. */
  bytesMax: ENTRY_BYTES_MAX,
  /** What they take in memory is a multiple of their bytes, the more so the smaller they are. */
  entriesMax: 5_000,
  changesMax: CHANGES_MAX,
  /** Refs that one step changes, as one pack brings the objects of all of them. */
  refsMax: WANTS_MAX,
} as const

export type MirrorLimits = Readonly<Record<keyof typeof MIRROR_LIMITS, number>>
