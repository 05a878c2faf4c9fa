/** The node's image from what is on this machine: for where no registry can be reached. */
import { basename } from 'node:path'
import { runCommand } from '../harness/command.ts'
import { ToolMissingError } from '../harness/errors.ts'
import { readOptions } from '../harness/options.ts'
import { EXIT } from '../harness/suite.ts'
import { TOOLS } from '../harness/tool-table.ts'
import { toolThere } from '../harness/tools.ts'
import { buildNodeImage, type ImageBuilder } from '../integration/containers/images.ts'
import { run } from '../integration/support/command-line.ts'

const HELP = `Usage: node scripts/image.ts [--tag NAME]

Builds the last stage of the Dockerfile with this machine's Docker or podman, and what the other
stages would fetch from what is here: Node.js and the libraries it is linked with, dist/ as the
compiler makes it, and the packages for production. Where a registry can be reached,
"docker build ." does the same with the official Node.js image.

  --tag NAME   what to call the image (guts)

Examples:
  node scripts/image.ts
  node scripts/image.ts --tag registry.example.org/guts:0.1.0
`

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const tag = readOptions(args, { texts: { tag: 'guts' } }).texts.tag ?? 'guts'
  const client = toolThere('container engine')
  if (client === undefined) {
    throw new ToolMissingError('container engine', `No container engine answers. ${TOOLS['container engine'].howToGet}`)
  }
  const call = async (...given: readonly string[]): Promise<void> => {
    signal.throwIfAborted()
    const { exitCode, stderr } = await run(client, given, { HOME: process.env['HOME'] ?? '/' })
    if (exitCode !== 0) throw new Error(`${basename(client)} ${given.join(' ')} ended with ${exitCode}: ${stderr}`)
  }
  const parts: string[] = []
  const builder: ImageBuilder = {
    async build(name, context, given = []) {
      const image = name === 'node' ? tag : `localhost/guts-part-${name}`
      if (name !== 'node') parts.push(image)
      // podman's own format has no health check.
      const format = basename(client) === 'podman' ? ['--format', 'docker'] : []
      await call('build', '--quiet', ...format, '--tag', image, ...given, context)
      return image
    },
  }
  try {
    await buildNodeImage(builder)
  } finally {
    for (const part of parts) await run(client, ['rmi', '--force', part], { HOME: process.env['HOME'] ?? '/' })
  }
  console.log(`Built ${tag}`)
  return EXIT.fine
}

await runCommand(HELP, main)
