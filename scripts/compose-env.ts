/** Keys of the nodes that docker-compose.yml starts, in `.env`, where compose looks for them. */
import { join } from 'node:path'
import { runCommand } from '../harness/command.ts'
import { readOptions } from '../harness/options.ts'
import { EXIT } from '../harness/suite.ts'
import { gutsJson, ROOT } from '../integration/support/command-line.ts'
import { hasErrorCode } from '../src/errors.ts'
import { writeSecretFile } from '../src/secret-file.ts'

const HELP = `Usage: node scripts/compose-env.ts [--out FILE]

Makes keys for the three nodes of docker-compose.yml and writes them to a file that only you can
read. One that is there already is left alone: with another key a node is another node.

  --out FILE   instead of .env, beside docker-compose.yml
`

const NODES = 3

async function main(args: readonly string[]): Promise<number> {
  const file = readOptions(args, { texts: { out: join(ROOT, '.env') } }).texts.out ?? ''
  const lines: string[] = []
  for (let node = 1; node <= NODES; node++) {
    const { private_key: key, peer_id: peer } = await gutsJson<{ private_key: string; peer_id: string }>(['keygen'], {})
    lines.push(`NODE_${node}_KEY=${key}`, `NODE_${node}_PEER=${peer}`)
  }
  try {
    await writeSecretFile(file, `${lines.join('\n')}\n`, 'new')
    console.log(`Wrote the keys of ${NODES} nodes to ${file}`)
  } catch (error) {
    if (!hasErrorCode(error, 'EEXIST')) throw error
    console.log(`${file} is there already, and stays as it is`)
  }
  return EXIT.fine
}

await runCommand(HELP, main)
