import { GutsError } from '../../errors.ts'

/** What can be wrong with a pack, an index of one, or a delta in one. `message` is read by the pusher. */
export class PackError extends GutsError<
  | { readonly code: 'pack_signature_invalid' | 'pack_truncated' | 'pack_checksum_mismatch' | 'pack_trailing_bytes' }
  | { readonly code: 'pack_version_unknown'; readonly version: number }
  | { readonly code: 'pack_objects_over_limit'; readonly declaredObjects: number; readonly limitObjects: number }
  | { readonly code: 'pack_inflated_over_limit'; readonly limitBytes: number }
  | { readonly code: 'entry_type_invalid'; readonly type: number; readonly packOffset: number }
  | { readonly code: 'entry_header_invalid'; readonly packOffset: number }
  | { readonly code: 'entry_inflate_failed'; readonly packOffset: number }
  | {
      readonly code: 'entry_size_mismatch'
      readonly declaredBytes: number
      readonly packOffset: number
    }
  | { readonly code: 'object_over_limit'; readonly declaredBytes: number; readonly limitBytes: number }
  | { readonly code: 'delta_base_offset_invalid'; readonly packOffset: number }
  | { readonly code: 'delta_base_missing'; readonly oid: string | null; readonly missing: number }
  | { readonly code: 'delta_too_deep'; readonly limitDepth: number; readonly packOffset: number }
  | { readonly code: 'delta_invalid'; readonly reason: string }
  | { readonly code: 'object_collision' | 'object_missing' | 'object_type_conflict'; readonly oid: string }
  | { readonly code: 'names_over_limit'; readonly limitNames: number }
  | { readonly code: 'object_duplicate'; readonly oid: string }
  | { readonly code: 'index_invalid' | 'mtimes_invalid'; readonly reason: string }
> {}
