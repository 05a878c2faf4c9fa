/** Names and ids that clients send, by the rules of DESIGN §4.3; each with the sentence the client reads. */
import * as z from 'zod'

export const NAME_LENGTH_MAX = 100
export const DESCRIPTION_LENGTH_MAX = 500

// Both rules hold: 1–100 characters, and the pattern, which asks for two.
const name = (what: string) =>
  z
    .string()
    .min(1, `${what} must not be empty`)
    .max(NAME_LENGTH_MAX, `${what} must have at most ${NAME_LENGTH_MAX} characters`)
    .regex(/^[a-z0-9][a-z0-9-]*[a-z0-9]$/, `${what} must contain only lowercase letters, numbers, and hyphens`)

export const repositoryName = name('Name').meta({ description: 'Name of a repository', examples: ['site'] })
export const ownerName = name('Owner').meta({ description: 'User or organization', examples: ['alice'] })
export const username = name('Username').meta({ description: 'Name of a user', examples: ['alice'] })

export const description = z
  .string()
  .max(DESCRIPTION_LENGTH_MAX, `Description must have at most ${DESCRIPTION_LENGTH_MAX} characters`)

/** A full object id in the one spelling git prints. */
export const oid = z
  .string()
  .regex(/^[0-9a-f]{40}$/, 'Object id must be 40 lowercase hexadecimal digits')
  .meta({ description: 'Object id', examples: ['e83c5163316f89bfbde7d9ab23ca2e25604af290'] })

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i

export function isUuid(text: string): boolean {
  return UUID.test(text)
}
