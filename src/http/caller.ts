import type { Authenticate, Caller } from '../collaboration/caller.ts'
import { RequestError } from '../errors.ts'

export type { Authenticate, Caller }

export interface Credentials {
  readonly token: string
  /** Of HTTP Basic, when not empty; the caller it names must match. */
  readonly username?: string
}

const CREDENTIALS_LENGTH_MAX = 1_000

/**
 * Reads `Authorization`: a token as `Bearer`, or as the password of `Basic` (DESIGN §4.1).
 * @throws RequestError `unauthorized` for a header that carries no token
 */
export function parseAuthorization(header: string | undefined): Credentials | undefined {
  if (header === undefined) return undefined
  const [, scheme = '', value = ''] = /^(Basic|Bearer) +([\w+/=.~-]+)$/i.exec(header) ?? []
  if (value === '' || value.length > CREDENTIALS_LENGTH_MAX) throw notValid()
  if (scheme.toLowerCase() === 'bearer') return { token: value }
  const [, username = '', token = ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(value, 'base64').toString('utf8')) ?? []
  // Git asks first with a name alone; an empty password is no token and not a wrong one either.
  if (token === '') throw notValid()
  return username === '' ? { token } : { token, username }
}

/** @throws RequestError `unauthorized`, in the same words for every reason */
export async function authenticateCaller(
  header: string | undefined,
  authenticate: Authenticate,
  signal: AbortSignal,
): Promise<Caller | undefined> {
  const credentials = parseAuthorization(header)
  if (credentials === undefined) return undefined
  const caller = await authenticate(credentials.token, signal)
  if (caller === undefined) throw notValid()
  if (credentials.username !== undefined && credentials.username !== caller.username) throw notValid()
  return caller
}

function notValid(): RequestError {
  return new RequestError({ code: 'unauthorized' }, 'The credentials are not valid')
}
