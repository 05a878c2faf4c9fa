/**
 * The base of every error class here, and the closed list of answers a request can be refused with (DESIGN §4.4).
 *
 * An error is data with a sentence for people: `detail.code` says which mistake, the other fields carry the numbers.
 */

/** `error` of the one error body → its HTTP status. */
export const REQUEST_ERRORS = {
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  validation_error: 422,
  rate_limited: 429,
  internal_error: 500,
  unavailable: 503,
  timeout: 504,
} as const

export type RequestErrorCode = keyof typeof REQUEST_ERRORS

export abstract class GutsError<Detail extends { readonly code: string }> extends Error {
  readonly detail: Detail

  constructor(detail: Detail, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.detail = detail
  }
}

/** One wrong field of a request, as the error body's `details` lists it. */
export interface FieldProblem {
  readonly field: string
  readonly code: string
  readonly message: string
}

/**
 * A request that is refused; `message` is read by the client, so it names no path, address or secret.
 * Thrown by any layer that knows the reason; src/http turns it into the error body.
 */
export class RequestError extends GutsError<{
  readonly code: RequestErrorCode
  readonly problems?: readonly FieldProblem[]
  /** Seconds, from the real queue or window: becomes `Retry-After`. */
  readonly retryAfterS?: number
  /** `Allow` of a 405. */
  readonly allow?: readonly string[]
}> {}

/** What an error of the runtime or of a library calls itself: `ENOENT`, `Z_DATA_ERROR`. */
export function errorCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** Whether an error calls itself one of these. */
export function hasErrorCode(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes(errorCodeOf(error) ?? '')
}
