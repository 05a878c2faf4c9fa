import { GutsError } from '../../errors.ts'

/** What a client says that is not the protocol, or too much of it. `message` is read by the client. */
export class ProtocolError extends GutsError<
  | { readonly code: 'pkt_length_invalid'; readonly length: string }
  | {
      readonly code:
        | 'request_truncated'
        | 'line_unexpected'
        | 'repository_read_only'
        | 'history_refused'
        | 'filter_refused'
        | 'unknown_ref'
    }
  | { readonly code: 'not_our_ref'; readonly oid: string }
  | { readonly code: 'feature_unsupported'; readonly feature: string }
  | { readonly code: 'over_limit'; readonly limit: string; readonly limitValue: number }
> {}

/** @param what in the plural, as in "wants" */
export function overLimit(what: string, limit: string, limitValue: number): ProtocolError {
  return new ProtocolError(
    { code: 'over_limit', limit, limitValue },
    `Too many ${what}; the limit (${limit}) is ${limitValue}`,
  )
}

export function unexpectedLine(expected: string): ProtocolError {
  return new ProtocolError({ code: 'line_unexpected' }, `The request is malformed: expected ${expected}`)
}

export function unsupportedFeature(feature: string): ProtocolError {
  return new ProtocolError({ code: 'feature_unsupported', feature }, `This server does not support ${feature}`)
}
