import { randomBytes } from 'node:crypto'
import * as z from 'zod'
import { writeSecretFile } from '../secret-file.ts'
import { defineCommand } from './command.ts'
import { EXIT } from './exit.ts'

const SEED_BYTES = 32

export const keygen = defineCommand({
  name: 'keygen',
  summary: 'Make a private key for a node',
  examples: ['guts keygen --out node.key', 'GUTS_PRIVATE_KEY=$(guts keygen) guts start'],
  configuration: 'none',
  options: [
    { flags: '--out <file>', help: 'write it to a new file that only you can read, and print only the peer id' },
  ],
  args: z.strictObject({ out: z.string().min(1).optional() }),
  async run({ out }, context) {
    const { peerIdOf } = await import('../p2p/identity.ts')
    const seed = randomBytes(SEED_BYTES)
    const private_key = seed.toString('hex')
    const peer_id = peerIdOf(seed)
    if (out === undefined) {
      context.out.result({ private_key, peer_id }, private_key)
      return EXIT.fine
    }
    await writeSecretFile(out, `${private_key}\n`, 'new')
    context.out.result({ file: out, peer_id }, `The key of peer ${peer_id} is in ${out}`)
    return EXIT.fine
  },
})
