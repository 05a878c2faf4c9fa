/** Run as a program: clones of one commit after another, none of which the host has answered before. */
import { text } from 'node:stream/consumers'
import { RawClient, type Target } from './raw-client.ts'

const { target, commits } = JSON.parse(await text(process.stdin)) as { target: Target; commits: readonly string[] }
const client = new RawClient(target)
for (const commit of commits) {
  await client.fetch([`want ${commit}`])
  process.stdout.write('fetched\n')
}
