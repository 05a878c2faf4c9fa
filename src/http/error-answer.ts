/** Every failure becomes an answer here (DESIGN §4.4). */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { errorCodeOf, GutsError, REQUEST_ERRORS, RequestError } from '../errors.ts'
import type { Logger } from '../observability/logging.ts'
import { redactText } from '../observability/redaction.ts'
import type { ErrorBody } from '../validation/error-body.ts'
import { ClientLeftError, stateOf } from './request-state.ts'

/** Errors of body-parser and the router (http-errors), by `type`; others of them are told by status alone. */
const PARSER_ERRORS: Readonly<Record<string, readonly [RequestError['detail']['code'], string]>> = {
  'entity.parse.failed': ['bad_request', 'The body is not valid JSON'],
  'encoding.unsupported': ['unsupported_media_type', 'The content encoding is not supported'],
  'charset.unsupported': ['unsupported_media_type', 'The character set is not supported'],
}

/** Failures of storage that pass or are repaired, by code: after how long, in seconds, asking again makes sense. */
const AWAY: Readonly<Record<string, readonly [number, string]>> = {
  // So long a statement waits for another process's lock.
  database_failed: [5, 'The database cannot take changes at the moment'],
  database_closed: [5, 'The server is going down; try again later'],
  // So long a lease holds that is not renewed.
  lease_lost: [15, 'The server does not hold the lease on its data and takes no changes; reading works'],
  // Every second the node looks how things are, and then says so itself.
  ENOSPC: [2, 'The server is short of disk space and takes no changes; reading works'],
  EDQUOT: [2, 'The server is short of disk space and takes no changes; reading works'],
  EROFS: [2, 'The server cannot write to its disk and takes no changes; reading works'],
}

/** Any error as the answer it deserves. What was not foreseen is an `internal_error` that says nothing more. */
export function toRequestError(error: unknown): RequestError {
  if (error instanceof RequestError) return error
  if (error instanceof Error && 'status' in error && typeof error.status === 'number' && error.status < 500) {
    const type = 'type' in error && typeof error.type === 'string' ? error.type : ''
    const [code, message] = PARSER_ERRORS[type] ?? ['bad_request' as const, 'The request is malformed']
    if (error.status === 413 && 'limit' in error) {
      return new RequestError(
        { code: 'payload_too_large' },
        `The body is over the limit of ${String(error.limit)} bytes`,
        {
          cause: error,
        },
      )
    }
    return new RequestError({ code }, message, { cause: error })
  }
  const [retryAfterS, message] = AWAY[codeOf(error)] ?? []
  if (retryAfterS !== undefined && message !== undefined) {
    return new RequestError({ code: 'unavailable', retryAfterS }, message, { cause: error })
  }
  return new RequestError({ code: 'internal_error' }, 'Internal error', { cause: error })
}

function codeOf(error: unknown): string {
  if (error instanceof GutsError) return (error.detail as { readonly code: string }).code
  return errorCodeOf(error) ?? ''
}

/** Parsers quote what they could not read, which may be a secret in the wrong place: only the kind of mistake is told. */
function kindOf(cause: unknown): string {
  if (!(cause instanceof Error)) return typeof cause
  const type = 'type' in cause && typeof cause.type === 'string' ? cause.type : codeOf(cause)
  return type === '' ? cause.name : type
}

export function errorBodyText(error: RequestError, requestId: string): string {
  const { code, problems } = error.detail
  const body: ErrorBody = {
    error: code,
    message: error.message,
    ...(problems === undefined ? {} : { details: [...problems] }),
    request_id: requestId,
  }
  // A client may have put a secret where its own names come back.
  return redactText(JSON.stringify(body))
}

export function errorHeaders({ detail }: RequestError, style: 'json' | 'sentence'): Record<string, string> {
  // A challenge for Basic makes git ask for credentials, and makes browsers show a dialog: only git gets it.
  const challenge = style === 'sentence' ? 'Basic realm="guts"' : 'Bearer realm="guts"'
  return {
    'Content-Type': style === 'sentence' ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8',
    'Cache-Control': 'no-store',
    ...(detail.code === 'unauthorized' ? { 'WWW-Authenticate': challenge } : {}),
    ...(detail.retryAfterS === undefined ? {} : { 'Retry-After': String(detail.retryAfterS) }),
    ...(detail.allow === undefined ? {} : { Allow: detail.allow.join(', ') }),
  }
}

/** The one error handler: answers, or cuts off an answer that has begun, and logs what nobody expected. */
export function sendError(error: unknown, request: IncomingMessage, response: ServerResponse, logger: Logger): void {
  const state = stateOf(request)
  // Nobody is there to be answered; the access line says so.
  if (error instanceof ClientLeftError || response.destroyed) {
    logger.debug({ err: error }, 'A request ended after its client had left')
    return
  }
  const refusal = toRequestError(error)
  const { code } = refusal.detail
  const isOurs = code === 'internal_error' || (code === 'unavailable' && refusal.cause !== undefined)
  if (isOurs) logger.error({ err: refusal.cause ?? refusal }, 'A request failed')
  else if (refusal.cause !== undefined) logger.debug({ code, reason: kindOf(refusal.cause) }, 'A request was refused')
  if (response.headersSent) {
    state.cutOffBy = error
    // Ending it properly would make a broken answer look whole.
    response.destroy()
    return
  }
  const style = state.errorStyle
  const text = style === 'json' ? errorBodyText(refusal, state.requestId) : `${redactText(refusal.message)}\n`
  for (const name of ['Content-Encoding', 'Content-Length', 'ETag', 'Link']) response.removeHeader(name)
  response.writeHead(REQUEST_ERRORS[refusal.detail.code], {
    ...errorHeaders(refusal, style),
    'Content-Length': Buffer.byteLength(text),
  })
  response.end(text)
}
