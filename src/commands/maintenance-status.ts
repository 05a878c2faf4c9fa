import * as z from 'zod'
import { Maintenance } from '../storage/maintenance.ts'
import { defineCommand } from './command.ts'
import { isoTime, withData } from './data.ts'
import { EXIT } from './exit.ts'

export const maintenanceStatus = defineCommand({
  name: 'maintenance status',
  summary: 'Say whether maintenance is on',
  examples: ['guts maintenance status', 'guts maintenance status --json'],
  configuration: 'data',
  args: z.strictObject({}),
  async run(_args, context) {
    const { sinceMs } = await withData(context, async ({ database }) => new Maintenance(database).state)
    const since = sinceMs === undefined ? null : isoTime(sinceMs)
    const text = since === null ? 'Maintenance is off' : `Maintenance is on since ${since}`
    context.out.result({ maintenance: since === null ? 'off' : 'on', since }, text)
    return EXIT.fine
  },
})
