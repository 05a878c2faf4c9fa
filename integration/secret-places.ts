/** Every place of a request in which a client can put a secret, by mistake or to see where it comes out again. */
import { encodePktLine } from '../src/git/pkt-line.ts'
import type { RawRequest } from './support/raw-http.ts'

export interface PlaceOptions {
  /** Sends what only a known caller may send. */
  readonly authorization: string
  /** Path templates of the node with their methods, from its own `/openapi.json`. */
  readonly routes: readonly { readonly method: string; readonly path: string }[]
  /** A repository of the caller. */
  readonly repository: string
}

const ZEROS = '0'.repeat(40)
const OID = '1'.repeat(40)
const FLUSH = '0000'
const DELIM = '0001'

const HEADERS = [
  'X-Request-Id',
  'Traceparent',
  'Tracestate',
  'Baggage',
  'User-Agent',
  'Git-Protocol',
  'Content-Type',
  'Content-Encoding',
  'Accept',
  'Accept-Encoding',
  'Accept-Language',
  'Cookie',
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-Forwarded-Proto',
  'Host',
  'Origin',
  'Referer',
  'Expect',
  'Transfer-Encoding',
  'Content-Length',
  'If-None-Match',
  'Range',
  'Upgrade',
  'X-Api-Key',
] as const

/** The secret as it stands, and as a client's library would have encoded it. */
function spellings(secret: string): string[] {
  const bytes = Buffer.from(secret)
  const encoded = [
    encodeURIComponent(secret),
    bytes.toString('base64'),
    bytes.toString('base64url'),
    bytes.toString('hex'),
  ]
  return [...new Set([secret, ...encoded])]
}

export function requestsWith(secret: string, options: PlaceOptions): RawRequest[] {
  return [
    ...credentials(secret),
    ...spellings(secret).flatMap((text) => [...addresses(text, options), ...headers(text, options)]),
    ...jsonBodies(secret, options),
    ...gitBodies(secret, options),
  ]
}

function credentials(secret: string): RawRequest[] {
  const basic = (user: string, password: string): string =>
    `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  const values = [
    `Bearer ${secret}`,
    `bearer  ${secret}`,
    `Bearer ${secret} ${secret}`,
    `Token ${secret}`,
    `Basic ${secret}`,
    secret,
    basic('alice', secret),
    basic('', secret),
    basic('mallory', secret),
    basic(secret, ''),
    basic(secret, 'x-oauth-basic'),
    basic(secret, secret),
  ]
  const paths = ['/api/user', '/api/repos', '/nothing/here', '/git/alice/site/info/refs?service=git-receive-pack']
  return values.flatMap((Authorization) =>
    paths.flatMap((path) => [
      { path, headers: { Authorization } },
      { path, headers: { 'Proxy-Authorization': Authorization } },
    ]),
  )
}

function addresses(text: string, { routes, authorization }: PlaceOptions): RawRequest[] {
  const known = { Authorization: authorization }
  const ofRoutes = routes.flatMap(({ method, path }) => {
    const filled = path.replace(/\{\w+\*?\}/g, text)
    const plain = path.replace(/\{\w+\*?\}/g, 'alice')
    return [
      { method, path: filled },
      { method, path: filled, headers: known },
      { method, path: `${plain}?token=${text}&${text}=1&page=${text}&service=${text}&ref=${text}`, headers: known },
    ]
  })
  return [
    ...ofRoutes,
    { path: `http://alice:${text}@guts.test/api/repos` },
    { path: `//alice:${text}@guts.test/api/repos` },
    { path: `/${text}/../${text}` },
    { path: `/api/repos/%E0%A4${text}/site`, headers: known },
    { path: `/git/alice/%zz${text}/info/refs` },
    { path: `/api/repos?page=%E0%A4${text}` },
    { path: `/${text}/`.padEnd(5_000, text) },
    { path: `/${text}/`.padEnd(100_000, text) },
    { method: text, path: '/api/repos' },
    { method: 'PUT', path: `/api/repos/alice/${text}`, headers: known },
    { method: 'CONNECT', path: `${text}:443` },
  ]
}

function headers(text: string, { authorization, repository }: PlaceOptions): RawRequest[] {
  const paths = ['/api/repos', '/api/user', `/git/${repository}/info/refs?service=git-upload-pack`, '/health/ready']
  const known = { Authorization: authorization }
  return [
    ...HEADERS.flatMap((name) => paths.map((path) => ({ path, headers: { ...known, [name]: text } }))),
    ...HEADERS.map((name) => ({
      method: 'POST',
      path: '/api/repos',
      body: '{}',
      headers: { ...known, 'Content-Type': 'application/json', [name]: text },
    })),
    { path: '/api/repos', headers: { [text]: 'value' } },
    { path: '/api/repos', headers: { 'X-Large': text.repeat(2_000) } },
    { path: '/api/repos', headers: { 'Bad Header': text } },
  ]
}

function jsonBodies(secret: string, { authorization, repository }: PlaceOptions): RawRequest[] {
  const quoted = JSON.stringify(secret)
  const bodies = [
    { name: secret },
    { name: `site-${secret.length}`, description: secret },
    { name: 'site', description: `${secret} `.repeat(20) },
    { name: 'site', owner: secret },
    { name: 'site', private: secret },
    { name: 'site', default_branch: secret },
    { name: [secret], description: { [secret]: secret } },
    { [secret]: secret },
    { name: 'other', password: secret, token: secret, unknown: secret },
    { name: secret.slice(0, 100), expires_in_s: secret },
  ].map((body) => JSON.stringify(body))
  const broken = [quoted, `${quoted}:`, `{"name":${quoted}`, `{"name":${secret}}`, secret, `[${quoted}]`, `{${quoted}}`]
  const targets = [
    { method: 'POST', path: '/api/repos' },
    { method: 'PATCH', path: `/api/repos/${repository}` },
    { method: 'POST', path: '/api/user/tokens' },
  ]
  return targets.flatMap((target) =>
    [...bodies, ...broken].flatMap((body) =>
      ['application/json', 'application/json; charset=x', 'text/plain'].map((type) => ({
        ...target,
        body,
        headers: { Authorization: authorization, 'Content-Type': type },
      })),
    ),
  )
}

function gitBodies(secret: string, { authorization, repository }: PlaceOptions): RawRequest[] {
  const pkt = (text: string): string => encodePktLine(Buffer.from(text)).toString('latin1')
  const post = (service: string, body: string, more: Record<string, string> = {}): RawRequest => ({
    method: 'POST',
    path: `/git/${repository}/${service}`,
    headers: { Authorization: authorization, 'Content-Type': `application/x-${service}-request`, ...more },
    body: Buffer.from(body, 'latin1'),
  })
  const v2 = (capabilities: readonly string[], args: readonly string[]): RawRequest =>
    post('git-upload-pack', [...capabilities.map(pkt), DELIM, ...args.map(pkt), FLUSH].join(''), {
      'Git-Protocol': `version=2:${secret}`,
    })
  const push = (ref: string, old = ZEROS, capabilities = 'report-status side-band-64k'): RawRequest =>
    post('git-receive-pack', `${pkt(`${old} ${OID} ${ref}\0${capabilities} agent=${secret}\n`)}${FLUSH}PACK${secret}`)
  return [
    v2(['command=ls-refs', `agent=${secret}`, `server-option=${secret}`], ['peel', `ref-prefix ${secret}`]),
    v2(['command=ls-refs'], [secret]),
    v2([`command=${secret}`], []),
    v2(['command=fetch', secret], []),
    v2(['command=fetch', `object-format=${secret}`], []),
    v2(['command=fetch'], [`want ${secret}`, 'done']),
    v2(['command=fetch'], [`want ${OID}`, `have ${secret}`]),
    v2(['command=fetch'], [`filter ${secret}`, `shallow ${secret}`]),
    v2(['command=fetch'], [secret]),
    v2(['command=fetch'], [`${secret.toLowerCase()} ${secret}`]),
    post('git-upload-pack', `${pkt(`want ${OID} agent=${secret} session-id=${secret}\n`)}${FLUSH}${pkt('done\n')}`),
    post('git-upload-pack', pkt(`want ${secret}\n`)),
    post('git-upload-pack', pkt(`${secret}\n`)),
    post('git-upload-pack', secret),
    post('git-upload-pack', secret, { 'Content-Encoding': 'gzip' }),
    push(`refs/heads/${secret}`),
    push(`refs/heads/${secret}`, secret),
    push(`refs/heads/a`, ZEROS, secret),
    push(`refs/heads/..${secret}`),
    push(secret),
    push(`refs/heads/${secret}`, ZEROS, 'report-status'),
    push(`refs/heads/${secret}`, ZEROS, ''),
    post('git-receive-pack', `${pkt(secret)}${FLUSH}`),
    post('git-receive-pack', `${pkt(`push-cert\0${secret}\n`)}${pkt(secret)}${FLUSH}`),
    post('git-receive-pack', `${pkt(`shallow ${secret}`)}${FLUSH}`),
    post('git-receive-pack', secret),
  ]
}

/** Bytes that are no request. */
export function malformedWith(secret: string): string[] {
  return [
    `${secret}\r\n\r\n`,
    `GET ${secret}\r\n\r\n`,
    `GET / HTTP/${secret}\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: a\r\n${secret}\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: a\r\nAuthorization : Bearer ${secret}\r\n\r\n`,
    `POST /api/repos HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${secret}\r\n`,
    `GET /${secret} HTTP/1.1\r\nConnection: close\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n${secret}`,
  ]
}
