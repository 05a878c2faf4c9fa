import * as z from 'zod'
import { loadConfig } from '../config/load.ts'
import { defineCommand } from './command.ts'
import { EXIT } from './exit.ts'

export const configCheck = defineCommand({
  name: 'config check',
  summary: 'Check the configuration, and name every mistake at once',
  examples: ['guts config check', 'guts config check --config /etc/guts.toml --json'],
  configuration: 'all',
  args: z.strictObject({}),
  async run(_args, { environment, configFile: file, configFlags: flags, out }) {
    const { config } = loadConfig({ environment, flags, ...(file !== undefined && { file }), requirePrivateKey: false })
    const private_key = config.privateKeySeed !== undefined
    const hint = private_key ? '' : '; there is no private key in it, which `guts start` needs'
    out.result({ valid: true, private_key }, `The configuration is valid${hint}`)
    return EXIT.fine
  },
})
