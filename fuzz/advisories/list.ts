/** The one place that lists published defects: by name, each with its inputs, their makers and what must happen. */
import type { Advisory } from './advisory.ts'
import { DELTAS } from './lists/deltas.ts'
import { DESIGN } from './lists/design.ts'
import { FILES } from './lists/files.ts'
import { PACKS } from './lists/packs.ts'
import { REQUESTS } from './lists/requests.ts'
import { STORES } from './lists/stores.ts'
import { TREES } from './lists/trees.ts'

export const ADVISORIES: readonly Advisory[] = [
  ...DESIGN,
  ...[...TREES, ...FILES, ...DELTAS, ...PACKS, ...STORES, ...REQUESTS].sort((a, b) => (a.name < b.name ? -1 : 1)),
]
