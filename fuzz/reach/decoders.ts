/** Which files of `src/git` read what others wrote: all of them but those that are listed here, with the reason. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../../integration/support/command-line.ts'

const WRITES = 'writes, and reads nothing'
const TABLE = 'a table in memory, which holds what decoders have read'
const WALK = 'walks over objects that decoders have read, in the order that src/git/object-graph tests'

/** A file, or a folder with its last slash. */
export const NO_DECODERS: Readonly<Record<string, string>> = {
  'src/git/bitmap/bit-ranks.ts': TABLE,
  'src/git/bitmap/bit-set.ts': TABLE,
  'src/git/bitmap/write-bitmaps.ts': WRITES,
  'src/git/commit-graph/encode.ts': WRITES,
  'src/git/commit-graph/gather.ts': WRITES,
  'src/git/fsck/object-checker.ts': 'decides which blobs are looked into; what looks into them is here',
  'src/git/fsck/testing.ts': 'for tests',
  'src/git/object-graph/bitmap-closure.ts': WALK,
  'src/git/object-graph/bitmap-select.ts': WALK,
  'src/git/object-graph/commit-queue.ts': TABLE,
  'src/git/object-graph/commit-walk.ts': WALK,
  'src/git/object-graph/deepen.ts': WALK,
  'src/git/object-graph/filter.ts': TABLE,
  'src/git/object-graph/filtered-trees.ts': WALK,
  'src/git/object-graph/marks.ts': TABLE,
  'src/git/object-graph/numbered-objects.ts': TABLE,
  'src/git/object-graph/object-reader.ts': WALK,
  'src/git/object-graph/reach.ts': WALK,
  'src/git/object-graph/reachability.ts': WALK,
  'src/git/object-graph/select.ts': WALK,
  'src/git/object-graph/sparse-trees.ts': WALK,
  'src/git/pack/deflate.ts': WRITES,
  'src/git/pack/entry-table.ts': TABLE,
  'src/git/pack/oid-map.ts': TABLE,
  'src/git/pack/oid-table.ts': TABLE,
  'src/git/pack/pack-windows.ts': 'keeps pieces of files that are open',
  'src/git/pack/recent-objects.ts': TABLE,
  'src/git/pack/testing.ts': 'for tests',
  'src/git/pack/waiting-deltas.ts': TABLE,
  'src/git/protocol/advertisement.ts': WRITES,
  'src/git/protocol/negotiation.ts': WRITES,
  'src/git/protocol/report-status.ts': WRITES,
  'src/git/protocol/testing.ts': 'for tests',
}

/** Relative to the repository's root, in order. */
export const DECODERS: readonly string[] = readdirSync(join(ROOT, 'src/git'), { recursive: true, encoding: 'utf8' })
  .map((file) => `src/git/${file}`)
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !Object.hasOwn(NO_DECODERS, file))
  .sort()
