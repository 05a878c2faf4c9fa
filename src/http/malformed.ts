import { randomUUIDv7 } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { REQUEST_ERRORS, RequestError } from '../errors.ts'
import { newSpanId, newTraceId } from '../observability/trace-context.ts'
import { runInContext } from '../observability/context.ts'
import type { Logger } from '../observability/logging.ts'
import type { Metrics } from '../observability/metrics.ts'
import { errorBodyText, errorHeaders, sendError } from './error-answer.ts'

/**
 * Answers bytes that are no request, or not in time, with the one error body, and closes. There is neither request nor
 * response, so the answer is written by hand.
 */
export function refuseMalformed(
  error: NodeJS.ErrnoException,
  socket: Socket,
  { metrics, logger }: { metrics: Metrics; logger: Logger },
): void {
  const underWay = (socket as Socket & { _httpMessage?: ServerResponse | null })._httpMessage ?? undefined
  // Gone, or in the middle of an answer that another one would garble. Whoever hangs up in the middle of a body has left.
  const left = error.code === 'ECONNRESET' || (underWay !== undefined && error.code === 'HPE_INVALID_EOF_STATE')
  if (left || !socket.writable || underWay?.headersSent === true) {
    socket.destroy()
    return
  }
  if (underWay !== undefined) {
    // A body that is none: its request has begun, and it is that request's end, in the log and in the metrics.
    metrics.rejections.inc({ reason: 'malformed' })
    underWay.setHeader('Connection', 'close')
    sendError(new RequestError({ code: 'bad_request' }, messageOf(error, false)), underWay.req, underWay, logger)
    return
  }
  const slow = error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
  // A connection that closes without a word, or a keep-alive that was never used again, is nothing to report.
  if (slow && socket.bytesRead === 0) {
    socket.destroy()
    return
  }
  const requestId = randomUUIDv7()
  runInContext({ requestId, traceId: newTraceId(), spanId: newSpanId() }, () => {
    const refusal = new RequestError({ code: 'bad_request' }, messageOf(error, slow))
    metrics.rejections.inc({ reason: slow ? 'slow_client' : 'malformed' })
    metrics.httpRequests.inc({ method: '_OTHER', path: '_unmatched', status: String(REQUEST_ERRORS.bad_request) })
    logger.info(
      { method: '_OTHER', route: '_unmatched', status: 400, reason: error.code, bytes_in: socket.bytesRead },
      'Request',
    )
    const body = errorBodyText(refusal, requestId)
    const headers = {
      ...errorHeaders(refusal, 'json'),
      'Content-Length': String(Buffer.byteLength(body)),
      'X-Request-Id': requestId,
      Connection: 'close',
    }
    const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.end(`HTTP/1.1 400 Bad Request\r\n${head.join('')}\r\n${body}`, () => socket.destroy())
  })
}

function messageOf(error: NodeJS.ErrnoException, slow: boolean): string {
  if (slow) return 'The request was not sent in time'
  if (error.code === 'HPE_HEADER_OVERFLOW') return 'The headers of the request are too large'
  return 'This is not a valid HTTP request'
}
