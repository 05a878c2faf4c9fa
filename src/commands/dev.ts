import * as z from 'zod'
import { isTracingRequested, tracingSecrets } from '../config/environment.ts'
import { loadConfig } from '../config/load.ts'
import { keepIdentity, prepareFirstUser } from '../first-run.ts'
import { runNode } from '../process.ts'
import { VERSION } from '../version.ts'
import { defineCommand } from './command.ts'
import { welcomeText } from './dev-welcome.ts'
import { EXIT } from './exit.ts'

/** Below everything an operator sets: nobody else on the network is let in, and logs are for the person who looks. */
export const DEV_DEFAULTS = {
  api_addr: '127.0.0.1:8080',
  p2p_addr: '127.0.0.1:9000',
  metrics_addr: '127.0.0.1:9090',
  log_format: 'pretty',
}

export const dev = defineCommand({
  name: 'dev',
  summary: 'Run a node on this machine alone, with a first user and a repository to push to',
  examples: ['guts dev', 'guts dev --data-dir /tmp/guts --api-addr 127.0.0.1:3000'],
  configuration: 'all',
  args: z.strictObject({}),
  async run(_args, { environment, configFile: file, configFlags: flags, out }) {
    const loaded = loadConfig({
      environment,
      flags,
      ...(file !== undefined && { file }),
      defaults: DEV_DEFAULTS,
      requirePrivateKey: false,
    }).config
    const config = { ...loaded, privateKeySeed: loaded.privateKeySeed ?? (await keepIdentity(loaded.dataDirectory)) }
    await runNode({
      config,
      version: VERSION,
      tracing: isTracingRequested(environment),
      secrets: tracingSecrets(environment),
      async onStarted(node, logging) {
        const firstUser = await prepareFirstUser(node, config)
        // After the lines of the start, not between them.
        await logging.flush()
        out.result(firstUser, welcomeText(firstUser))
      },
    })
    return EXIT.failed
  },
})
