import * as z from 'zod'
import { isTracingRequested, tracingSecrets } from '../config/environment.ts'
import { loadConfig } from '../config/load.ts'
import { runNode } from '../process.ts'
import { VERSION } from '../version.ts'
import { defineCommand } from './command.ts'
import { EXIT } from './exit.ts'

export const start = defineCommand({
  name: 'start',
  summary: 'Run a node until a signal stops it; writes nothing but log lines',
  examples: ['GUTS_PRIVATE_KEY_FILE=node.key guts start', 'guts start --config /etc/guts.toml --log-level debug'],
  configuration: 'all',
  args: z.strictObject({}),
  async run(_args, { environment, configFile: file, configFlags: flags }) {
    const { config } = loadConfig({ environment, flags, ...(file !== undefined && { file }), requirePrivateKey: true })
    const tracing = isTracingRequested(environment)
    await runNode({ config, version: VERSION, tracing, secrets: tracingSecrets(environment) })
    return EXIT.failed
  },
})
