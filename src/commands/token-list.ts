import * as z from 'zod'
import { username } from '../validation/names.ts'
import { defineCommand } from './command.ts'
import { allPages, existingUser, isoTime, withData } from './data.ts'
import { EXIT } from './exit.ts'
import { tableText } from './output.ts'

export const tokenList = defineCommand({
  name: 'token list',
  summary: 'List the tokens of a user, without the tokens themselves',
  examples: ['guts token list --user alice', 'guts token list --user alice --json'],
  configuration: 'data',
  options: [{ flags: '--user <name>', help: 'whose tokens' }],
  args: z.strictObject({ user: username }),
  async run({ user }, context) {
    const all = await withData(context, async (data) => {
      const { id } = existingUser(data, user)
      return allPages((page) => data.tokens.list(id, page))
    })
    const rows = all.map((token) => ({
      id: token.id,
      name: token.name,
      created_at: isoTime(token.createdAtMs),
      expires_at: token.expiresAtMs === null ? null : isoTime(token.expiresAtMs),
    }))
    const cells = rows.map((row) => [row.id, row.name, row.created_at, row.expires_at ?? 'never'])
    context.out.result(rows, tableText(['id', 'name', 'created', 'expires'], cells))
    return EXIT.fine
  },
})
