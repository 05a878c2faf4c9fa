import * as z from 'zod'
import { configJsonSchema } from '../config/reference.ts'
import { defineCommand } from './command.ts'
import { EXIT } from './exit.ts'

export const configSchema = defineCommand({
  name: 'config schema',
  summary: 'Print the JSON Schema of a configuration file',
  examples: ['guts config schema > guts.schema.json'],
  configuration: 'none',
  args: z.strictObject({}),
  async run(_args, { out }) {
    const schema = configJsonSchema()
    out.result(schema, JSON.stringify(schema, null, 2))
    return EXIT.fine
  },
})
