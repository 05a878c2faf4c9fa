/** What a node answers to who speaks SHA-256 to it all the same: C git's client stops before it would. */
import type { NodeHost } from '../support/hosts.ts'
import { command, type GitPost, pkt, post, pushBody } from '../support/wire.ts'
import { DELIM, FLUSH } from '../../src/git/pkt-line.ts'
import type { Sha256Answers } from './matrix.ts'

const SHA256_OID = '1'.repeat(64)

/** @param guts where repositories are made */
export async function askWithSha256(guts: NodeHost): Promise<Sha256Answers> {
  await guts.create('sha256')
  const { username, token, node } = guts
  const common = { port: node.ports.api, repository: `${username}/sha256`, token } as const
  const answerTo = async (request: Pick<GitPost, 'service' | 'version' | 'body'>): Promise<string> =>
    (await post({ ...common, ...request })).reason.trim()
  const listing = Buffer.concat([pkt('command=ls-refs\n'), pkt('object-format=sha256\n'), DELIM, FLUSH])
  const capabilities = 'report-status object-format=sha256'
  const pushed = pushBody([command('refs/heads/main', SHA256_OID, '0'.repeat(64), capabilities)])
  return {
    fetch: await answerTo({ service: 'git-upload-pack', version: '2', body: listing }),
    push: await answerTo({ service: 'git-receive-pack', version: '0', body: pushed }),
  }
}
