import type { NodeData } from '../../src/node-data.ts'

/** Every repository of a node, by its database. */
export function repositoriesIn(
  database: NodeData['database'],
): Promise<{ readonly id: string; readonly owner: string; readonly name: string }[]> {
  return database.read
    .selectFrom('repositories')
    .innerJoin('owners', 'owners.id', 'repositories.owner_id')
    .select(['repositories.id', 'owners.name as owner', 'repositories.name'])
    .where('deleted_at', 'is', null)
    .orderBy('owners.name')
    .orderBy('repositories.name')
    .execute()
}
