import * as z from 'zod'
import { RequestError } from '../errors.ts'
import { username } from '../validation/names.ts'
import { defineCommand } from './command.ts'
import { existingUser, withData } from './data.ts'
import { EXIT } from './exit.ts'

export const tokenRevoke = defineCommand({
  name: 'token revoke',
  summary: 'End a token at once',
  examples: ['guts token revoke --user alice 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b'],
  configuration: 'data',
  positionals: { id: 'as `guts token list` shows it' },
  options: [{ flags: '--user <name>', help: 'whose token it is' }],
  args: z.strictObject({ user: username, id: z.uuid('Id must be one that `guts token list` shows') }),
  async run({ user, id }, context) {
    const revoked = await withData(context, (data) => data.tokens.revoke(existingUser(data, user).id, id))
    if (!revoked) throw new RequestError({ code: 'not_found' }, `${user} has no token ${id}`)
    context.out.result({ id, username: user, revoked: true }, `Token ${id} of ${user} is revoked`)
    return EXIT.fine
  },
})
