import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { expect, it } from 'vitest'
import { privateKeyOf } from './identity.ts'

it.each(['00', '5e', 'ff'])('the key of a seed of %s is the one that libp2p makes of it', async (byte) => {
  const seed = new Uint8Array(Buffer.from(byte.repeat(32), 'hex'))
  const key = await generateKeyPairFromSeed('Ed25519', seed)
  expect(privateKeyOf(seed).equals(key)).toBe(true)
  expect(Buffer.from(privateKeyOf(seed).publicKey.raw)).toEqual(Buffer.from(key.publicKey.raw))
})
