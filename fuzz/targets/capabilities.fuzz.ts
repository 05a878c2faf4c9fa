import assert from 'node:assert/strict'
import {
  lineText,
  parseCapabilities,
  parseGitProtocol,
  parseOid,
  parseSessionId,
} from '../../src/git/protocol/capabilities.ts'
import { ProtocolError } from '../../src/git/protocol/error.ts'
import { unlessRefused } from '../oracles/expected.ts'
import { textSeeds } from '../seeds/texts.ts'
import type { FuzzTarget } from '../target.ts'

const CAPABILITIES_MAX = 100
const OID = 'a'.repeat(40)

export const target = {
  reads: 'what clients say they can do, and who they are',
  drives: {
    'src/git/protocol/capabilities.ts': [
      'parseCapabilities',
      'parseGitProtocol',
      'parseSessionId',
      'parseOid',
      'lineText',
    ],
  },
  inputBytesMax: 2_048,
  words: [
    ' ',
    'agent=git/2.47.0',
    'side-band-64k',
    'version=1',
    'version=2',
    ':',
    'session-id=',
    '20261130T053117.123456Z-H0a1b2c3d-P00001234',
    '/20261130T053117.123456Z-Localhost-P00001234',
    OID,
    '=',
    '\n',
  ],
  makesObjects: false,
  goalPerS: 10_000,
  planted: {
    'last-of-two': {
      why: 'who repeats a capability has the last one count, and a proxy that reads the first sees another request',
      file: 'src/git/protocol/capabilities.ts',
      from: "if (!capabilities.has(key)) capabilities.set(key, equals < 0 ? '' : name.slice(equals + 1))",
      to: "capabilities.set(key, equals < 0 ? '' : name.slice(equals + 1))",
    },
  },
  seeds: ({ exchanges }) => ({
    ...Object.fromEntries(exchanges.flatMap(({ name, request }) => seedOf(name, request))),
    ...textSeeds({
      'a version': 'version=2:other',
      'two versions': 'version=1:version=2',
      'a session': '20261130T053117.123456Z-H0a1b2c3d-P00001234/20261130T053117.123457Z-Localhost-P00001235',
      'a session that goes on': '20261130T053117.123456Z-H0a1b2c3d-P00001234/',
      'an object': OID,
      'a name of nothing': '=x a=',
      'too many': Array.from({ length: CAPABILITIES_MAX + 1 }, (_, at) => `c${at}`).join(' '),
      'as many as there may be': Array.from({ length: CAPABILITIES_MAX }, (_, at) => `c${at}`).join(' '),
    }),
  }),
} satisfies FuzzTarget

/**
 * Oracle: refused with a ProtocolError, or what a search by hand finds: the first of each name, the highest version, object
 * ids and sessions of one shape.
 */
export function fuzz(data: Buffer): void {
  const text = lineText(data)
  assert.equal(`${text}\n`, data.at(-1) === 0x0a ? data.toString() : `${data.toString()}\n`)
  checkCapabilities(text)
  const keys = text.slice(0, 1_000).split(':')
  const highest = ['2', '1', '0'].find((version) => keys.includes(`version=${version}`)) ?? '0'
  assert.equal(parseGitProtocol(text), highest)
  assert.equal(parseGitProtocol(undefined), '0')
  const oid = unlessRefused([ProtocolError], () => parseOid(text))
  assert.equal(
    oid,
    text.length === 40 && Array.from(text).every((digit) => '0123456789abcdef'.includes(digit)) ? text : undefined,
  )
  assert.equal(parseSessionId(text), isSession(text) ? text : undefined)
  assert.equal(parseSessionId(undefined), undefined)
}

function checkCapabilities(text: string): void {
  const capabilities = unlessRefused([ProtocolError], () => parseCapabilities(text))
  const words = text.split(' ').filter((word) => word.length > 0)
  assert.equal(capabilities === undefined, words.length > CAPABILITIES_MAX)
  if (capabilities === undefined) return
  for (const [name, value] of capabilities) {
    const first = words.find((word) => word === name || word.startsWith(`${name}=`))
    assert.equal(first, first === name ? name : `${name}=${value}`)
  }
  for (const word of words) assert(capabilities.has(word.split('=', 1)[0] ?? ''))
}

/** By trace2/tr2_sid.c: of each process a time, a host and a number. */
function isSession(text: string): boolean {
  const parts = text.split('/')
  return parts.length <= 10 && parts.every(isProcess)
}

function isProcess(text: string): boolean {
  const [time = '', host = '', number = '', ...more] = text.split('-')
  const isHost = host === 'Localhost' || /^H[0-9a-f]{8}$/.test(host)
  return /^\d{8}T\d{6}\.\d{6}Z$/.test(time) && isHost && /^P[0-9a-f]{8}$/.test(number) && more.length === 0
}

/** What follows the first object id, up to the end of its line. */
function seedOf(name: string, request: Buffer): [string, Buffer][] {
  const [, said] = /^.{4}want [0-9a-f]{40} ([^\n]*)/s.exec(request.toString('latin1')) ?? []
  return said === undefined ? [] : [[name, Buffer.from(said, 'latin1')]]
}
