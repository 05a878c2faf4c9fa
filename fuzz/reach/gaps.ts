/** Branches of decoders that no committed input takes, each with the reason. What is not here must be taken. */

/** File → name of the branch → why. */
export type Gaps = Readonly<Record<string, Readonly<Record<string, string>>>>

const TYPES_ONLY = 'for the types alone: there is always a value'
const NO_OTHER_TYPE = 'blobs have no form, and whoever reads one does not come here'
const ENDED = 'whoever feeds a request stops where it ends, as the node does: src/git/protocol/requests.test.ts goes on'

export const GAPS: Gaps = {
  'src/git/bitmap/bitmap-file.ts': {
    'if in: if (bytes.compare(pack.checksum, 0, CHECKSUM_BYTES, 12, 12 + CHECKSUM_BYTES) !== 0) {':
      'the target says of each file that it is of its pack, or nothing behind this would be reached',
    'if in: if (found === undefined) return undefined (2)': 'of the writer, which is asked only for what it was given',
  },
  'src/git/fsck/check-object.ts': { 'case in: default:': NO_OTHER_TYPE },
  'src/git/fsck/gitattributes.ts': {
    "if in: if (data.length > GITATTRIBUTES_BYTES_MAX) return 'gitattributesLarge'":
      'of 100 MiB: src/git/fsck/object-checker.test.ts has one',
  },
  'src/git/fsck/identity.ts': {
    '? in: return end < 0 ? data.length : end + 1': 'an identity that was checked ends with a line feed',
  },
  'src/git/fsck/links.ts': { 'case in: default:': NO_OTHER_TYPE },
  'src/git/fsck/submodule-url.ts': {
    '?? in: const hostEnd = /[/?#]|$/.exec(rest)?.index ?? rest.length': TYPES_ONLY,
  },
  'src/git/object-graph/sparse-patterns.ts': {
    '?? in: this.#stepsLeft = steps ?? SPARSE_LIMITS.sparse_filter_steps.value':
      'two thousand million steps: the target has a smaller budget, so that what takes long is found',
    "if in: if (this.#placesLeft < 0) throw overSparseLimit('sparse_filter_places')":
      'spent by the walk over trees: src/git/object-graph/sparse-trees.test.ts',
    "else in: if (this.#placesLeft < 0) throw overSparseLimit('sparse_filter_places')":
      'spent by the walk over trees: src/git/object-graph/sparse-trees.test.ts',
  },
  'src/git/object/type.ts': {
    'if in: if (name === undefined) throw new RangeError(`${type} is no type of object`)':
      'a mistake of ours, which no bytes can make',
  },
  'src/git/pack/header.ts': {
    'if in: if (!Number.isSafeInteger(sizeBytes)) throw headerInvalid(packOffset)':
      'eight bytes hold 53 bits, and a size of more bytes is refused before',
  },
  'src/git/pack/index-file.ts': {
    'if in: for (let i = 0; i < count; i++) if ((offsets[i] as number) >= 2 ** 31) longOffsets++':
      'writes the index of a pack of 2 GiB: property/pack-format.property.ts',
    'else in: else {': 'writes the index of a pack of 2 GiB: property/pack-format.property.ts',
  },
  'src/git/pack/resolve-deltas.ts': {
    '?? in: const oid = refDeltas.anyBase() ?? null': TYPES_ONLY,
    "? in: `${missing} deltas have no base here${oid === null ? '' : `, among them object ${oid}`}`,": TYPES_ONLY,
    '?? in: let cachedBytes = root.data?.length ?? 0': TYPES_ONLY,
  },
  'src/git/pack/source.ts': {
    'if in: if (this.holds(position, bytes)) return': 'for packs that are stored, whose places are known',
    'else in: if (this.holds(position, bytes)) return': 'for packs that are stored, whose places are known',
    'if in: if (count === 0) break': 'a source that became shorter: src/git/pack/inflate.test.ts',
  },
  'src/git/pack/summed-source.ts': {
    'if in: if (this.read(buffer.subarray(0, end - this.#summedBytes), this.#summedBytes) === 0) throw truncated()':
      'who scans a pack has read all of it before',
    'else in: if (this.read(buffer.subarray(0, end - this.#summedBytes), this.#summedBytes) === 0) throw truncated()':
      'who scans a pack has read all of it before',
  },
  'src/git/protocol/side-band.ts': {
    "? in: const bytes = typeof text === 'string' ? Buffer.from(text) : text": 'for texts of our own',
  },
  'src/git/protocol/upload-request.ts': {
    "if in: if (this.#section === 'end') throw unexpectedLine('nothing after the end of the request')": ENDED,
    "&& in: return this.#section === 'haves' && !this.#wentOn": 'asked by the node where a body ends early',
    "?? in: const [, oid = '', rest = ''] = /^want ([^ ]*)(?: (.*))?$/s.exec(text) ?? []": TYPES_ONLY,
  },
  'src/git/protocol/v2-request.ts': {
    "if in: if (this.#ended) throw unexpectedLine('nothing after the end of the request')": ENDED,
    "?? in: const [, key = '', value = ''] = /^([^=]*)(?:=(.*))?$/s.exec(text) ?? []": TYPES_ONLY,
  },
  'src/git/ref-name.ts': {
    "?? in: return typeof name === 'string' ? name.charCodeAt(at) : (name[at] ?? Number.NaN)": TYPES_ONLY,
  },
}
