/**
 * Keeps secrets out of whatever leaves the process as text (I9). By path: names under which a secret is kept. By
 * pattern: what looks like a credential wherever it stands. By value: secrets that were registered when they were read.
 */
import assert from 'node:assert/strict'

const MASK = '[redacted]'
const SECRET_BYTES_MIN = 8

export const SECRET_KEYS = [
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'token',
  'access_token',
  'password',
  'secret',
  'private_key',
  'privateKey',
  'GUTS_PRIVATE_KEY',
] as const

const secretKeys: ReadonlySet<string> = new Set(SECRET_KEYS.map((key) => key.toLowerCase()))
const DEPTH_MAX = 3

/**
 * The fields of a log line without what stands under a secret's name, whatever its type, down to the third level: a
 * Buffer under such a name is no text that a pattern could find. Most lines have none, and are handed back as they are;
 * pino's own `redact` walks every path for every line, which was a tenth of what a listing of refs cost.
 */
export function redactFields(fields: Record<string, unknown>, depth = 1): Record<string, unknown> {
  let redacted: Record<string, unknown> | undefined
  for (const key in fields) {
    const value = fields[key]
    let clean = value
    if (secretKeys.has(key.toLowerCase())) clean = MASK
    else if (depth < DEPTH_MAX && isPlain(value)) clean = redactFields(value, depth + 1)
    if (clean !== value) (redacted ??= { ...fields })[key] = clean
  }
  return redacted ?? fields
}

/** Errors and the like are made plain by their serializers, and then by the patterns. */
function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null || Array.isArray(value)
}

const keys = SECRET_KEYS.join('|')

/** Each pattern is linear in the length of the text: clients choose part of what is logged (I7). */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  // A string under a secret's name, at any depth of a line of JSON …
  [new RegExp(`"(${keys})":"(?:[^"\\\\]|\\\\.)*"`, 'gi'), `"$1":"${MASK}"`],
  // … and in JSON that was quoted inside a string.
  [
    new RegExp(`\\\\"(${keys})\\\\"\\s*:\\s*\\\\"(?:[^"\\\\]|\\\\\\\\(?:\\\\["\\\\]|.))*\\\\"`, 'gi'),
    `\\"$1\\":\\"${MASK}\\"`,
  ],
  // A challenge (`Basic realm=…`) is no credential.
  [/\b(Basic|Bearer) +(?!realm=)[\w+/=.~-]+/gi, `$1 ${MASK}`],
  [/:\/\/[^\s/"?#\\]+@/g, `://${MASK}@`],
  [/((?:token|password|secret|private_?key)\s?[=:]\s?)[^\s&"\\,;[]+/gi, `$1${MASK}`],
  [/guts_pat_[0-9A-Za-z]+/g, `guts_pat_${MASK}`],
]

/**
 * One of these is in whatever a pattern finds, and in each of the names above: the fewer there are, the less it takes to
 * see that a line has none, as most have. An access line takes 1.5 µs instead of 5.2.
 */
export const HINT = /authorization|cookie|token|password|secret|private|basic |bearer |:\/\/|guts_pat_/i

const secrets = new Set<string>()

/**
 * Masks this value from now on, in every encoding it may travel in. For secrets the process reads itself: the private
 * key, passwords of backends. Process-wide, because a secret may surface anywhere.
 */
export function registerSecret(value: string): void {
  // Masking a very short text would garble every line, and would tell what it is.
  assert(value.length >= SECRET_BYTES_MIN, `a secret has at least ${SECRET_BYTES_MIN} characters`)
  const bytes = /^(?:[0-9a-f]{2})+$/i.test(value)
    ? [Buffer.from(value), Buffer.from(value, 'hex')]
    : [Buffer.from(value)]
  const forms = [
    value,
    value.toLowerCase(),
    value.toUpperCase(),
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
  ]
  for (const raw of bytes) forms.push(raw.toString('base64'), raw.toString('base64url'), raw.toString('hex'))
  for (const form of forms) secrets.add(form)
}

/** What may be most of a private key that nobody registered, because it stands in the wrong place; object ids have 40. */
const KEY_LIKE = /[0-9a-f]{41,}/gi

/** For what is said to an operator, who may have pasted a key anywhere. */
export function redactKeys(text: string): string {
  return redactText(text).replace(KEY_LIKE, MASK)
}

export function redactText(text: string): string {
  let redacted = text
  for (const secret of secrets) redacted = redacted.replaceAll(secret, MASK)
  if (!HINT.test(redacted)) return redacted
  for (const [pattern, mask] of PATTERNS) redacted = redacted.replace(pattern, mask)
  return redacted
}
