/** What names another node than one of our own: variables, since a token has no place among a command's arguments. */
import { nearest, WrongUseError } from '../harness/errors.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface NodeAddress {
  readonly baseUrl: string
  readonly token: string
  /** Undefined: its metrics cannot be read. */
  readonly metricsUrl: string | undefined
  /** For programs that reach it from here: whom to trust, and by which proxy. */
  readonly network: Readonly<Record<string, string>>
}

const PREFIX = 'LOAD_'
const KNOWN = ['LOAD_BASE_URL', 'LOAD_TOKEN', 'LOAD_METRICS_URL']
const PROXIES = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY']
const AUTHORITIES = ['SSL_CERT_FILE', 'SSL_CERT_DIR', 'GIT_SSL_CAINFO', 'NODE_EXTRA_CA_CERTS']

/**
 * An empty variable is one that is not set.
 * @returns undefined where no node is named
 * @throws WrongUseError with the nearest known name
 */
export function readNodeAddress(environment: Environment): NodeAddress | undefined {
  const given = new Map(Object.entries(environment).filter((entry): entry is [string, string] => !!entry[1]))
  const ours = [...given.keys()].filter((name) => name.startsWith(PREFIX))
  for (const name of ours) {
    if (!KNOWN.includes(name)) throw new WrongUseError(`There is no variable ${name}${nearest(name, KNOWN)}`)
  }
  const [base, token, metrics] = KNOWN.map((name) => given.get(name))
  if (base === undefined) {
    if (ours.length > 0) throw new WrongUseError(`${ours.join(' and ')} without LOAD_BASE_URL: which node is meant?`)
    return undefined
  }
  if (token === undefined) throw new WrongUseError('LOAD_BASE_URL needs LOAD_TOKEN, a token of a user of that node')
  return {
    baseUrl: urlIn('LOAD_BASE_URL', base),
    token,
    metricsUrl: metrics === undefined ? undefined : urlIn('LOAD_METRICS_URL', metrics),
    network: networkIn(given),
  }
}

function networkIn(given: ReadonlyMap<string, string>): Record<string, string> {
  const network: Record<string, string> = {}
  const put = (name: string, value: string | undefined): void => {
    if (value !== undefined) network[name] = value
  }
  for (const name of AUTHORITIES) put(name, given.get(name))
  for (const name of PROXIES) {
    const lower = name.toLowerCase()
    put(name, given.get(name))
    // What git is built on reads HTTP_PROXY in lower case only (curl, "Environment").
    put(lower, given.get(lower) ?? given.get(name))
  }
  return network
}

/** The value is in no message: there may be a password in it. */
function urlIn(variable: string, value: string): string {
  const url = URL.parse(value)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new WrongUseError(`${variable} is an address such as https://staging.example.org`)
  }
  if (url.username !== '' || url.password !== '' || /[?#]/.test(value)) {
    throw new WrongUseError(`${variable} is an address without user, query and fragment; who asks is in LOAD_TOKEN`)
  }
  return url.href.replace(/\/+$/, '')
}
