/** A user in a node's data, made by the services that the command line uses: two processes less for each. */
import { Tokens } from '../../src/collaboration/tokens.ts'
import { Users } from '../../src/collaboration/users.ts'
import { prepareDataDirectory } from '../../src/storage/data-directory.ts'
import { Database } from '../../src/storage/database/database.ts'

/** @returns a token of the user that was made */
export async function createUserIn(
  dataDirectory: string,
  user: { readonly username: string; readonly admin: boolean },
): Promise<string> {
  const paths = await prepareDataDirectory(dataDirectory)
  const database = await Database.open(paths.database)
  try {
    const { id } = await new Users(database).create(user)
    return (await new Tokens(database).create({ userId: id, name: 'command line' })).token
  } finally {
    await database.close()
  }
}
