import type { P2pNode } from './node.ts'
import type { Replicator } from './replication/replicator.ts'

/** What an operator is told about this node's place in the network; for the internal listener. */
export interface NodeStatus {
  readonly peer_id: string
  readonly version: string
  readonly uptime_s: number
  /** Multiaddrs at which other nodes reach this one, ending in /p2p/ID. */
  readonly addresses: readonly string[]
  readonly peers: readonly PeerStatus[]
  readonly homes: readonly HomeStatus[]
}

export interface PeerStatus {
  readonly peer_id: string
  readonly address: string
  readonly direction: 'inbound' | 'outbound'
  readonly connected_s: number
  readonly circuit: 'closed' | 'half_open' | 'open'
}

export interface HomeStatus {
  readonly peer_id: string
  readonly connected: boolean
  readonly circuit: 'closed' | 'half_open' | 'open'
  /** Since it last said what it has; null: it never did. */
  readonly contact_age_s: number | null
  readonly last_error: string | null
  readonly mirrors: readonly {
    readonly repository: string
    readonly sequence: number
    readonly known_sequence: number | null
    readonly lag_s: number
  }[]
}

/** @param replicator undefined while the node starts */
export function statusOf(p2p: P2pNode, replicator: Replicator | undefined, version: string): NodeStatus {
  const connected = new Set(p2p.peers)
  return {
    peer_id: p2p.peerId,
    version,
    uptime_s: Math.floor(process.uptime()),
    addresses: p2p.addresses,
    peers: p2p.connections.map(({ peer, address, direction, connectedAtMs }) => ({
      peer_id: peer,
      address,
      direction,
      connected_s: Math.max(0, Math.floor((Date.now() - connectedAtMs) / 1_000)),
      circuit: replicator?.circuitOf(peer) ?? 'closed',
    })),
    homes: (replicator?.states ?? []).map(({ peer, contactAgeS, lastError, mirrors }) => ({
      peer_id: peer,
      connected: connected.has(peer),
      circuit: replicator?.circuitOf(peer) ?? 'closed',
      contact_age_s: contactAgeS === undefined ? null : rounded(contactAgeS),
      last_error: lastError ?? null,
      mirrors: mirrors.map(({ repository: { owner, name }, sequence, knownSequence, lagS }) => ({
        repository: `${owner}/${name}`,
        sequence,
        known_sequence: knownSequence ?? null,
        lag_s: rounded(lagS),
      })),
    })),
  }
}

function rounded(seconds: number): number {
  return Math.round(seconds * 1_000) / 1_000
}
