import type { IncomingMessage, ServerResponse } from 'node:http'
import helmet from 'helmet'

type Headers = readonly (readonly [name: string, value: string])[]

/**
 * Answers are data: nothing in them may run, be framed or be guessed at. TLS, and so HSTS, is the proxy's.
 *
 * They are the same for each answer, so helmet is asked once.
 */
function securityHeaders(): Headers {
  const setHeaders = helmet({
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    strictTransportSecurity: false,
    crossOriginResourcePolicy: { policy: 'same-origin' },
  })
  const headers: [string, string][] = []
  const collector = { setHeader: (name: string, value: string) => headers.push([name, value]), removeHeader() {} }
  setHeaders({} as IncomingMessage, collector as unknown as ServerResponse, (error) => {
    if (error !== undefined) throw error
  })
  return headers
}

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE'
const REQUEST_HEADERS = 'Authorization, Content-Type, X-Request-Id, traceparent'
const EXPOSED_HEADERS = 'Link, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id'
const PREFLIGHT_AGE_S = 600

/** @returns whether that was all that the request asked for */
export type SetHeaders = (request: IncomingMessage, response: ServerResponse) => boolean

/**
 * What each answer says of itself before its route has a word.
 *
 * @param corsOrigins whose pages may call the API with a token; cookies are never used. Absent: nobody asks for that here
 */
export function commonHeaders(corsOrigins: readonly string[] | undefined): SetHeaders {
  const headers: Headers = [...securityHeaders(), ...(corsOrigins === undefined ? [] : [['Vary', 'Origin'] as const])]
  const allowed = new Set(corsOrigins)
  return (request, response) => {
    for (const [name, value] of headers) response.setHeader(name, value)
    const { origin } = request.headers
    return origin !== undefined && allowed.has(origin) && admitOrigin(origin, request, response)
  }
}

function admitOrigin(origin: string, request: IncomingMessage, response: ServerResponse): boolean {
  response.setHeader('Access-Control-Allow-Origin', origin)
  response.setHeader('Access-Control-Expose-Headers', EXPOSED_HEADERS)
  response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin')
  if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return false
  response.writeHead(204, {
    'Access-Control-Allow-Methods': METHODS,
    'Access-Control-Allow-Headers': REQUEST_HEADERS,
    'Access-Control-Max-Age': PREFLIGHT_AGE_S,
  })
  response.end()
  return true
}
