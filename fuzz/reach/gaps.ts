/** Branches of decoders that no committed input takes, each with the reason. What is not here must be taken. */

/** File → name of the branch → why. */
export type Gaps = Readonly<Record<string, Readonly<Record<string, string>>>>

const TYPES_ONLY = 'for the types alone: there is always a value'
const OF_WALKS = 'spent by the walk over trees: src/git/object-graph/sparse-trees.test.ts'

export const GAPS: Gaps = {
  'src/git/fsck/identity.ts': {
    '? in: return end < 0 ? data.length : end + 1': 'an identity that was checked ends with a line feed',
  },
  'src/git/fsck/submodule-url.ts': {
    '?? in: const hostEnd = /[/?#]|$/.exec(rest)?.index ?? rest.length': TYPES_ONLY,
  },
  'src/git/object-graph/sparse-patterns.ts': {
    "if in: if (this.#placesLeft < 0) throw overSparseLimit('sparse_filter_places')": OF_WALKS,
    "else in: if (this.#placesLeft < 0) throw overSparseLimit('sparse_filter_places')": OF_WALKS,
  },
  'src/git/pack/header.ts': {
    'if in: if (!Number.isSafeInteger(sizeBytes)) throw headerInvalid(packOffset)':
      'eight bytes hold 53 bits, and a size of more bytes is refused before',
  },
  'src/git/ref-name.ts': {
    "?? in: return typeof name === 'string' ? name.charCodeAt(at) : (name[at] ?? Number.NaN)": TYPES_ONLY,
  },
}
