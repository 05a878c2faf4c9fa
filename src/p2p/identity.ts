import { createPublicKey } from 'node:crypto'
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { signingKeyOf } from '../storage/repositories/ref-log.ts'

const PUBLIC_KEY_BYTES = 32

/**
 * What `generateKeyPairFromSeed` of libp2p makes, which derives the public key in JavaScript: 60 ms of each start.
 * @param seed 32 bytes, of an Ed25519 key
 */
export function privateKeyOf(seed: Uint8Array): PrivateKey {
  // SubjectPublicKeyInfo ends in the key itself (RFC 8410, 4).
  const info = createPublicKey(signingKeyOf(seed)).export({ format: 'der', type: 'spki' })
  return privateKeyFromRaw(Buffer.concat([seed, info.subarray(-PUBLIC_KEY_BYTES)]))
}

/** @param seed 32 bytes, of an Ed25519 key */
export function peerIdOf(seed: Uint8Array): string {
  return peerIdFromPrivateKey(privateKeyOf(seed)).toString()
}
