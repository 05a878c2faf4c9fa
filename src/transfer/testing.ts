/** For tests of packs that fetches are answered with. */
import { NO_FILTER } from '../git/object-graph/filter.ts'
import { NO_TAGS } from './named-objects.ts'
import type { PackSpec } from './pack-cache.ts'

/** One object and all that it reaches. */
export const ONE_WANT: PackSpec = {
  wants: ['a'.repeat(40)],
  haves: [],
  annotatedTags: NO_TAGS,
  shallow: [],
  filter: NO_FILTER,
  sparse: [],
  features: { thinPack: true, ofsDelta: true },
}
