/** Identities and addresses of peers, checked here so that a wrong one is refused before libp2p is even loaded. */
import { isIPv4, isIPv6 } from 'node:net'
import { isHostName, parsePort } from './network-values.ts'

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const ED25519_ID_LENGTH = 52
const KEY_BITS = 256n

// Identity multihash of 36 bytes: protobuf of key type 1 (Ed25519) and of 32 bytes (libp2p peer-ids).
const ED25519_ID_HEAD = 0x00_24_08_01_12_20n

/** The id of an Ed25519 identity, which is the only kind a node has. */
export function isPeerId(text: string): boolean {
  if (text.length !== ED25519_ID_LENGTH || !text.startsWith('1')) return false
  let value = 0n
  for (const digit of text.slice(1)) {
    const worth = BASE58.indexOf(digit)
    if (worth === -1) return false
    value = value * 58n + BigInt(worth)
  }
  return value >> KEY_BITS === ED25519_ID_HEAD
}

const IS_HOST: Readonly<Record<string, (host: string) => boolean>> = {
  ip4: isIPv4,
  // A zone (`%eth0`) means nothing on another machine.
  ip6: (host) => isIPv6(host) && !host.includes('%'),
  dns: isHostName,
  dns4: isHostName,
  dns6: isHostName,
}

/**
 * A TCP multiaddr: `/ip4/192.0.2.1/tcp/9000`, also with `ip6`, `dns`, `dns4`, `dns6`.
 * @param peer whether it ends in `/p2p/ID`: it must, or it may not
 */
export function isTcpMultiaddr(text: string, peer: 'required' | 'forbidden'): boolean {
  const [empty, protocol = '', host = '', transport, port = '', ...tail] = text.split('/')
  const isHost = Object.hasOwn(IS_HOST, protocol) ? IS_HOST[protocol] : undefined
  if (empty !== '' || isHost?.(host) !== true || transport !== 'tcp' || parsePort(port, 1) === undefined) return false
  if (peer === 'forbidden') return tail.length === 0
  const [p2p, id = '', ...rest] = tail
  return p2p === 'p2p' && isPeerId(id) && rest.length === 0
}
