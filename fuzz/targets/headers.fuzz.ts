import assert from 'node:assert/strict'
import { crc32 } from 'node:zlib'
import { isTokenText } from '../../src/collaboration/token-text.ts'
import { RequestError } from '../../src/errors.ts'
import { parseAuthorization } from '../../src/http/caller.ts'
import { redactText } from '../../src/observability/redaction.ts'
import { formatTraceparent, parseTraceparent } from '../../src/observability/trace-context.ts'
import { unlessRefused } from '../oracles/expected.ts'
import { textSeeds } from '../seeds/texts.ts'
import type { FuzzTarget } from '../target.ts'

/** With the checksum that it needs: 39 digits that anybody may know. */
const TOKEN = `guts_pat_${'x'.repeat(33)}`
const CHECKED_TOKEN = TOKEN + checksumOf(TOKEN)

const HEADERS = {
  'a token': `Bearer ${CHECKED_TOKEN}`,
  'a name and a token': `Basic ${Buffer.from(`alice:${CHECKED_TOKEN}`).toString('base64')}`,
  'a token without a name': `basic  ${Buffer.from(':secret').toString('base64')}`,
  'a name without a token': `Basic ${Buffer.from('alice:').toString('base64')}`,
  'what is no base64': 'Basic ====',
  'another scheme': 'Digest username="alice"',
  'a trace': '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  'a trace of a later version': '42-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-more',
  'a trace of zeros': `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
  'a token alone': CHECKED_TOKEN,
  'secrets in a text': '{"password":"hunter22","url":"https://alice:hunter22@example.org/?token=abc"}',
  'secrets in quoted JSON': '"{\\"token\\": \\"abc\\\\\\"def\\"}"',
} as const

export const target = {
  reads: 'credentials and traces in headers, and secrets in what is logged of them',
  drives: {
    'src/http/caller.ts': ['parseAuthorization', 'notValid'],
    'src/collaboration/token-text.ts': ['isTokenText', 'checksumOf'],
    'src/observability/trace-context.ts': ['parseTraceparent', 'formatTraceparent'],
  },
  inputBytesMax: 1_100,
  words: [
    'Basic ',
    'Bearer ',
    'bearer  ',
    'realm=',
    'guts_pat_',
    '"token":"',
    '\\"secret\\": \\"',
    'password=',
    'private_key : ',
    '://a:b@',
    'YTpi',
    '00-',
    '-01',
    'authorization',
    '~',
    'ff-',
  ],
  makesObjects: false,
  goalPerS: 5_000,
  planted: {
    'end-of-a-token-in-the-log': {
      why: 'of a token with a tilde the end is logged',
      file: 'src/observability/redaction.ts',
      from: '[/\\b(Basic|Bearer) +(?!realm=)[\\w+/=.~-]+/gi',
      to: '[/\\b(Basic|Bearer) +(?!realm=)[\\w+/=.-]+/gi',
    },
  },
  seeds: () => textSeeds(HEADERS),
} satisfies FuzzTarget

/**
 * Oracle: credentials are those that a second reader finds, or refused as not valid; no log line holds them; a trace is
 * the same when written and read again; a token with one letter changed is none.
 */
export function fuzz(data: Buffer): void {
  const text = data.toString('latin1')
  checkAuthorization(text)
  checkTrace(text)
  checkToken(text)
  checkRedaction(text)
}

function checkAuthorization(header: string): void {
  const credentials = unlessRefused([RequestError], () => parse(header))
  if (credentials === undefined) return
  const [scheme = '', value = ''] = header.split(/ +/)
  assert(header.length <= 1_007 + header.indexOf(value) && !/[^ -~]/.test(header))
  const { token, username = '' } = credentials
  if (scheme.toLowerCase() === 'bearer') assert.deepEqual(credentials, { token: value })
  else assert.equal(`${username}:${token}`, Buffer.from(value, 'base64').toString())
  assert(token !== '' && !username.includes(':'))
  // `realm=` begins a challenge, and no token.
  if (/^realm=/i.test(value)) return
  assert.equal(redactText(`authorization: ${header}`), `authorization: ${scheme} [redacted]`)
  assert.equal(redactText(JSON.stringify({ msg: header })), JSON.stringify({ msg: `${scheme} [redacted]` }))
}

/** In the words that are the same for every reason. */
function parse(header: string): ReturnType<typeof parseAuthorization> {
  try {
    return parseAuthorization(header)
  } catch (error) {
    if (error instanceof RequestError) assert.equal(error.detail.code, 'unauthorized')
    throw error
  }
}

function checkTrace(header: string): void {
  const parent = parseTraceparent(header)
  const [version = '', traceId = '', spanId = '', flags = '', ...rest] = header.split('-')
  const isHex = [version, traceId, spanId, flags].every((part) => /^[0-9a-f]+$/.test(part))
  const isSized = `${version.length} ${traceId.length} ${spanId.length} ${flags.length}` === '2 32 16 2'
  const isKnown = version !== 'ff' && (version !== '00' || rest.length === 0)
  const isSet = BigInt(isHex ? `0x${traceId}` : 0) > 0n && BigInt(isHex ? `0x${spanId}` : 0) > 0n
  // Node gives headers as one line.
  if (/[\n\r\u2028\u2029]/.test(header)) return
  assert.equal(parent !== undefined, isHex && isSized && isKnown && isSet)
  if (parent !== undefined) assert.deepEqual(parseTraceparent(formatTraceparent(parent)), parent)
}

function checkToken(text: string): void {
  const isWritten = /^guts_pat_[0-9A-Za-z]{39}$/.test(text) && !text.endsWith('\n')
  assert.equal(isTokenText(text), isWritten && text.endsWith(checksumOf(text.slice(0, -6))))
  if (!isTokenText(text)) return
  const at = text.length % 33
  const other = text[9 + at] === 'a' ? 'b' : 'a'
  assert(!isTokenText(text.slice(0, 9 + at) + other + text.slice(10 + at)), 'a mistyped token passes')
}

/** Six digits of 62, the highest first. */
function checksumOf(text: string): string {
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  const value = crc32(text)
  return Array.from({ length: 6 }, (_, at) => digits[Math.floor(value / 62 ** (5 - at)) % 62]).join('')
}

function checkRedaction(text: string): void {
  for (const name of ['password', 'Authorization', 'private_key']) {
    assert.equal(redactText(JSON.stringify({ [name]: text })), `{"${name}":"[redacted]"}`)
  }
  const quoted = redactText(JSON.stringify({ msg: JSON.stringify({ secret: text }) }))
  assert.equal(quoted, JSON.stringify({ msg: '{"secret":"[redacted]"}' }))
  // As addresses hold them: what else there may be is written in another way.
  const password = encodeURIComponent(text)
  if (password !== '') assert.equal(redactText(`http://a:${password}@host/`), 'http://[redacted]@host/')
}
