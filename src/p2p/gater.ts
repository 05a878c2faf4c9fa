import type { Libp2pOptions } from 'libp2p'

type ConnectionGater = NonNullable<Libp2pOptions['connectionGater']>

/**
 * Refuses everyone who is not on the list, in both directions; an empty list lets all in. Who the other side is, is
 * known once the connection is encrypted: only the holder of a peer's key can prove to be it.
 */
export function allowListGater(allowedPeers: readonly string[], onRefusal: (peerId: string) => void): ConnectionGater {
  if (allowedPeers.length === 0) return {}
  const allowed = new Set(allowedPeers)
  const isStranger = (peer: { toString(): string }): boolean => {
    const id = peer.toString()
    if (allowed.has(id)) return false
    onRefusal(id)
    return true
  }
  return {
    denyDialPeer: isStranger,
    denyInboundEncryptedConnection: isStranger,
    denyOutboundEncryptedConnection: isStranger,
  }
}
