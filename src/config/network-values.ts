/** Texts of the configuration that name something on a network. Each function answers undefined for what is not one. */
import { isIP, isIPv4, isIPv6 } from 'node:net'

export interface Address {
  /** An IP address without brackets, or a host name. */
  readonly host: string
  readonly port: number
}

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i
const HOST_NAME_LENGTH_MAX = 253

/** RFC 1123. A last label of digits only would be read as an IPv4 address by some, so it must really be one. */
export function isHostName(text: string): boolean {
  const labels = text.split('.')
  const last = labels.at(-1) ?? ''
  return text.length <= HOST_NAME_LENGTH_MAX && labels.every((label) => LABEL.test(label)) && !/^[0-9]+$/.test(last)
}

export function parsePort(text: string, portMin: number): number | undefined {
  if (!/^(?:0|[1-9][0-9]{0,4})$/.test(text)) return undefined
  const port = Number(text)
  return port >= portMin && port <= 65_535 ? port : undefined
}

/** `host:port`, an IPv6 address in brackets. */
export function parseAddress(text: string, portMin: number): Address | undefined {
  const colon = text.lastIndexOf(':')
  const port = parsePort(text.slice(colon + 1), portMin)
  const host = text.slice(0, Math.max(colon, 0))
  if (port === undefined) return undefined
  if (host.startsWith('[') && host.endsWith(']')) {
    return isIPv6(host.slice(1, -1)) ? { host: host.slice(1, -1), port } : undefined
  }
  return isIPv4(host) || isHostName(host) ? { host, port } : undefined
}

export function formatAddress({ host, port }: Address): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
}

const LOOPBACK_OF: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }
const WILDCARDS = Object.keys(LOOPBACK_OF)

/** Where this machine reaches what listens on every address. */
export function reachableHost(host: string): string {
  return LOOPBACK_OF[host] ?? host
}

/** Whether two listeners would fight over one port: the same host, or one of them takes every address. */
export function isSameListener(a: Address, b: Address): boolean {
  if (a.port !== b.port || a.port === 0) return false
  return a.host === b.host || WILDCARDS.includes(a.host) || WILDCARDS.includes(b.host)
}

/** `10.0.0.0/8`, or one address. */
export function isIpRange(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0) return false
  return bits === undefined || (/^(?:0|[1-9][0-9]{0,2})$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
}

/** `https://example.org`, as a browser sends it: no path, no default port. */
export function isOrigin(text: string): boolean {
  return isHttpUrl(text) && new URL(text).origin === text
}

/** Without a user, password, query or fragment: those would end up in clone addresses. */
export function isHttpUrl(text: string): boolean {
  if (!/^https?:\/\/[^\s@?#]+$/.test(text)) return false
  return URL.canParse(text)
}
