/** The kinds of value a key can have. A rule's sentence completes "must be …" and never quotes what was given. */
import { resolve } from 'node:path'
import * as z from 'zod'
import { isHttpUrl, isIpRange, isOrigin, parseAddress, type Address } from './network-values.ts'
import { isPeerId, isTcpMultiaddr } from './peer-values.ts'

const TEXT_LENGTH_MAX = 4096
const LIST_LENGTH_MAX = 1000
const BRANCH_LENGTH_MAX = 200
const MEBIBYTE = 2 ** 20
const KIBIBYTE = 2 ** 10
export const DAY_S = 24 * 3_600

const text = (test: (value: string) => boolean, what: string) =>
  z.string().refine((value) => value.length <= TEXT_LENGTH_MAX && test(value), `must be ${what}`)

const list = (item: z.ZodType<string, string>) => z.array(item).max(LIST_LENGTH_MAX).prefault([])

export const integer = (min: number, max: number) => z.int().min(min).max(max)
/** 1 MB is 1,048,576 bytes; what leaves the schema is bytes. */
export const megabytes = (min: number, max: number) => integer(min, max).transform((count) => count * MEBIBYTE)
/** 1 KB is 1,024 bytes; what leaves the schema is bytes. */
export const kilobytes = (min: number, max: number) => integer(min, max).transform((count) => count * KIBIBYTE)

export const address = (portMin: 0 | 1) =>
  z.string().transform((value, context): Address => {
    const parsed = parseAddress(value, portMin)
    if (parsed !== undefined) return parsed
    context.addIssue({ code: 'custom', message: 'must be host:port, with a port from 1 to 65535' })
    return z.NEVER
  })

const isPath = (value: string): boolean => value !== '' && !value.includes('\0')

/** Relative to the working directory; leaves the schema absolute. */
export const path = () => text(isPath, 'a path').transform((value) => resolve(value))

/** 32 bytes, all of them used: written as 64 hexadecimal digits. */
export const isSeed = (value: string): boolean => /^[0-9a-f]{64}$/i.test(value)
export const SEED_RULE = '64 hexadecimal digits (make them with `guts keygen`)'
export const seed = () => text(isSeed, SEED_RULE).transform((value) => new Uint8Array(Buffer.from(value, 'hex')))

/** Stricter than `git check-ref-format --branch`: what it refuses is refused here, and exotic names are too. */
export function isBranchName(value: string): boolean {
  if (value.length > BRANCH_LENGTH_MAX || value === 'HEAD') return false
  return value.split('/').every((part) => /^[a-z0-9_][\w.+-]*$/i.test(part) && !/\.\.|\.$|\.lock$/.test(part))
}

export const branch = () =>
  text(isBranchName, `a branch name of letters, digits and "._+-/", at most ${BRANCH_LENGTH_MAX} characters`)

export const httpUrl = () =>
  text(isHttpUrl, 'an http or https URL without user, query and fragment').transform((value) =>
    value.replace(/\/+$/, ''),
  )

export const origins = () => list(text(isOrigin, 'an origin such as https://example.org, without path'))
export const ipRanges = () => list(text(isIpRange, 'an IP address or a range such as 10.0.0.0/8'))
export const peerIds = () => list(text(isPeerId, 'an Ed25519 peer id (12D3KooW…)'))
export const multiaddrs = () =>
  list(text((value) => isTcpMultiaddr(value, 'forbidden'), 'a multiaddr such as /ip4/192.0.2.1/tcp/9000'))
export const peerMultiaddrs = () =>
  list(text((value) => isTcpMultiaddr(value, 'required'), 'a multiaddr such as /ip4/192.0.2.1/tcp/9000/p2p/12D3KooW…'))
