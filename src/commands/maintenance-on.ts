import * as z from 'zod'
import { setMaintenance } from '../storage/maintenance.ts'
import { defineCommand } from './command.ts'
import { withData } from './data.ts'
import { EXIT } from './exit.ts'

export const maintenanceOn = defineCommand({
  name: 'maintenance on',
  summary: 'Refuse changes and take the node out of service; reading goes on',
  examples: ['guts maintenance on', 'guts maintenance on --json'],
  configuration: 'data',
  args: z.strictObject({}),
  async run(_args, context) {
    await withData(context, ({ database }) => setMaintenance(database, true))
    context.out.result({ maintenance: 'on' }, 'Maintenance is on: a running node refuses changes within two seconds')
    return EXIT.fine
  },
})
