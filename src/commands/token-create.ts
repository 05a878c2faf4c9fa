import * as z from 'zod'
import { username } from '../validation/names.ts'
import { defineCommand } from './command.ts'
import { existingUser, isoTime, withData } from './data.ts'
import { EXIT } from './exit.ts'

const DAY_S = 86_400
const DAYS_MAX = 3_650
const NAME_LENGTH_MAX = 100

const days = z
  .string()
  .regex(/^[1-9][0-9]{0,3}$/)
  .transform(Number)
  .pipe(z.int().max(DAYS_MAX))

export const tokenCreate = defineCommand({
  name: 'token create',
  summary: 'Make a token for a user; it is shown this once and never again',
  examples: ['guts token create --user alice', 'guts token create --user alice --name laptop --expires-days 90 --json'],
  configuration: 'data',
  options: [
    { flags: '--user <name>', help: 'whose token it is' },
    { flags: '--name <text>', help: 'what it is for, to tell tokens apart' },
    { flags: '--expires-days <count>', help: `days until it expires, 1 to ${DAYS_MAX}; without it, it does not` },
  ],
  args: z.strictObject({
    user: username,
    name: z.string().min(1).max(NAME_LENGTH_MAX).default('command line'),
    expiresDays: days.optional(),
  }),
  async run({ user, name, expiresDays }, context) {
    const made = await withData(context, async (data) => {
      const expiresInS = expiresDays === undefined ? undefined : expiresDays * DAY_S
      return data.tokens.create({ userId: existingUser(data, user).id, name, expiresInS })
    })
    const expires_at = made.expiresAtMs === null ? null : isoTime(made.expiresAtMs)
    context.out.result({ id: made.id, username: user, name, token: made.token, expires_at }, made.token)
    return EXIT.fine
  },
})
