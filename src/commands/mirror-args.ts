import { multiaddr } from '@multiformats/multiaddr'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Subscription } from '../p2p/replication/subscriptions.ts'
import { ownerName, repositoryName } from '../validation/names.ts'
import { WrongUse } from './failure.ts'

/** @param home a peer id, or a multiaddr that ends in one. @throws WrongUse */
export function parseHome(home: string): Pick<Subscription, 'peer' | 'address'> {
  if (!home.startsWith('/')) return { peer: peerId(home), address: undefined }
  try {
    multiaddr(home)
  } catch {
    throw new WrongUse(`${home} is not a multiaddr, like /ip4/192.0.2.1/tcp/9000/p2p/PEER-ID`)
  }
  const [, last] = /\/p2p\/([^/]+)$/.exec(home) ?? []
  if (last === undefined) throw new WrongUse(`The address ${home} must end in /p2p/PEER-ID`)
  return { peer: peerId(last), address: home }
}

/** @param repository `OWNER/NAME`; undefined: all. @throws WrongUse */
export function parseRepository(repository: string | undefined): Subscription['repository'] {
  if (repository === undefined) return undefined
  const [owner = '', name = '', ...rest] = repository.split('/')
  const isValid = rest.length === 0 && ownerName.safeParse(owner).success && repositoryName.safeParse(name).success
  if (!isValid) throw new WrongUse(`${repository} is not the name of a repository, like alice/app`)
  return { owner, name }
}

function peerId(text: string): string {
  try {
    const id = peerIdFromString(text)
    // The log of a repository is signed with the key that the id is made of.
    if (id.type === 'Ed25519') return id.toString()
  } catch {
    // Told below.
  }
  throw new WrongUse(`${text} is not the id of a node, like 12D3KooW…; guts status shows a node's own`)
}
