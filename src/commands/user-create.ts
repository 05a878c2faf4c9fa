import * as z from 'zod'
import { username } from '../validation/names.ts'
import { defineCommand } from './command.ts'
import { withData } from './data.ts'
import { EXIT } from './exit.ts'

export const userCreate = defineCommand({
  name: 'user create',
  summary: 'Make a user',
  examples: ['guts user create alice', 'guts user create root --admin --json'],
  configuration: 'data',
  positionals: { name: 'name of the user: lowercase letters, digits and hyphens' },
  options: [{ flags: '--admin', help: 'may do everything' }],
  args: z.strictObject({ name: username, admin: z.boolean().default(false) }),
  async run({ name, admin }, context) {
    const user = await withData(context, ({ users }) => users.create({ username: name, admin }))
    context.out.result(
      { id: user.id, username: user.username, admin: user.admin },
      `User ${user.username} was made. Give it a token: guts token create --user ${user.username}`,
    )
    return EXIT.fine
  },
})
