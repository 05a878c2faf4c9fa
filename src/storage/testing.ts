/** For tests: a data directory with its database, which goes away again. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DataPaths, prepareDataDirectory } from './data-directory.ts'
import { Database } from './database/database.ts'
import type { ObserveStorage } from './observe.ts'

export interface TestData extends AsyncDisposable {
  readonly paths: DataPaths
  readonly database: Database
}

export async function openTestData({ observe }: { readonly observe?: ObserveStorage } = {}): Promise<TestData> {
  const root = mkdtempSync(join(tmpdir(), 'guts-data-'))
  const paths = await prepareDataDirectory(root)
  const database = await Database.open(paths.database, observe)
  return {
    paths,
    database,
    async [Symbol.asyncDispose]() {
      await database.close()
      rmSync(root, { recursive: true })
    },
  }
}
