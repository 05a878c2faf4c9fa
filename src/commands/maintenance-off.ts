import * as z from 'zod'
import { setMaintenance } from '../storage/maintenance.ts'
import { defineCommand } from './command.ts'
import { withData } from './data.ts'
import { EXIT } from './exit.ts'

export const maintenanceOff = defineCommand({
  name: 'maintenance off',
  summary: 'Take changes again',
  examples: ['guts maintenance off', 'guts maintenance off --json'],
  configuration: 'data',
  args: z.strictObject({}),
  async run(_args, context) {
    await withData(context, ({ database }) => setMaintenance(database, false))
    context.out.result(
      { maintenance: 'off' },
      'Maintenance is off: a running node takes changes again within two seconds',
    )
    return EXIT.fine
  },
})
