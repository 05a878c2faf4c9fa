import { randomUUIDv7 } from 'node:crypto'
import type { Socket } from 'node:net'
import { REQUEST_ERRORS, RequestError } from '../errors.ts'
import { newSpanId, newTraceId } from '../observability/trace-context.ts'
import { runInContext } from '../observability/context.ts'
import type { Logger } from '../observability/logging.ts'
import type { Metrics } from '../observability/metrics.ts'
import { errorBodyText, errorHeaders } from './error-answer.ts'

/**
 * Answers bytes that are no request, or not in time, with the one error body, and closes. There is neither request nor
 * response, so the answer is written by hand.
 */
export function refuseMalformed(
  error: NodeJS.ErrnoException,
  socket: Socket,
  { metrics, logger }: { metrics: Metrics; logger: Logger },
): void {
  // Gone, or in the middle of an answer that another one would garble.
  const busy = (socket as Socket & { _httpMessage?: { headersSent: boolean } | null })._httpMessage
  if (error.code === 'ECONNRESET' || !socket.writable || busy?.headersSent === true) {
    socket.destroy()
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
