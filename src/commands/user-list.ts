import * as z from 'zod'
import { defineCommand } from './command.ts'
import { allPages, isoTime, withData } from './data.ts'
import { EXIT } from './exit.ts'
import { tableText } from './output.ts'

export const userList = defineCommand({
  name: 'user list',
  summary: 'List the users',
  examples: ['guts user list', 'guts user list --json'],
  configuration: 'data',
  args: z.strictObject({}),
  async run(_args, context) {
    const all = await withData(context, async ({ users }) => allPages((page) => users.list(page)))
    const rows = all.map((user) => ({
      id: user.id,
      username: user.username,
      admin: user.admin,
      created_at: isoTime(user.createdAtMs),
    }))
    const cells = rows.map((row) => [row.username, row.admin ? 'admin' : 'user', row.created_at])
    context.out.result(rows, tableText(['username', 'role', 'created'], cells))
    return EXIT.fine
  },
})
