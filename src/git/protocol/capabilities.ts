/** Lists of capabilities as clients send them (gitprotocol-capabilities): separated by spaces, some with a value. */
import { unexpectedLine } from './error.ts'

const CAPABILITIES_MAX = 100

/** @returns name → value, which is empty where there is none; the first of two equal names counts */
export function parseCapabilities(text: string): ReadonlyMap<string, string> {
  const capabilities = new Map<string, string>()
  const names = text.split(' ').filter((name) => name !== '')
  if (names.length > CAPABILITIES_MAX) throw unexpectedLine(`at most ${CAPABILITIES_MAX} capabilities`)
  for (const name of names) {
    const equals = name.indexOf('=')
    const key = equals < 0 ? name : name.slice(0, equals)
    if (!capabilities.has(key)) capabilities.set(key, equals < 0 ? '' : name.slice(equals + 1))
  }
  return capabilities
}

/**
 * The protocol that `Git-Protocol` asks for (gitprotocol-http): the highest known `version=` among its keys.
 */
export function parseGitProtocol(header: string | undefined): '0' | '1' | '2' {
  const versions = (header ?? '').slice(0, 1_000).split(':')
  if (versions.includes('version=2')) return '2'
  return versions.includes('version=1') ? '1' : '0'
}

/**
 * As git makes them, one for each process that the client's was started by (trace2/tr2_sid.c). Clients may call
 * themselves anything (gitprotocol-capabilities, "session-id"), but what is written to a log must be no secret.
 */
const SESSION_ID = /^(?:[0-9]{8}T[0-9]{6}\.[0-9]{6}Z-(?:H[0-9a-f]{8}|Localhost)-P[0-9a-f]{8}(?:\/(?!$)|$)){1,10}$/

/** @returns undefined for what is none: it serves tracing only, and no request is refused for it */
export function parseSessionId(text: string | undefined): string | undefined {
  return text !== undefined && SESSION_ID.test(text) ? text : undefined
}

const OID = /^[0-9a-f]{40}$/

/** @throws ProtocolError line_unexpected */
export function parseOid(text: string): string {
  if (!OID.test(text)) throw unexpectedLine('an object id of 40 hexadecimal digits')
  return text
}

/** The text of a line, without the line feed that most of them end with. */
export function lineText(payload: Buffer): string {
  const end = payload[payload.length - 1] === 0x0a ? payload.length - 1 : payload.length
  return payload.toString('utf8', 0, end)
}
