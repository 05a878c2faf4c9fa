import type { Database } from '../storage/database/database.ts'
import type { Metrics } from '../observability/metrics.ts'

/** Counts people and repositories for each scrape: whoever changed them, also the command line beside the node. */
export function feedGauges(
  database: Database,
  metrics: Pick<Metrics, 'repositories' | 'users' | 'organizations' | 'onCollect'>,
): void {
  const counts = database.reader.prepare(`SELECT
    (SELECT count(*) FROM repositories WHERE deleted_at IS NULL) AS repositories,
    (SELECT count(*) FROM users) AS users,
    (SELECT count(*) FROM owners WHERE kind = 'organization') AS organizations`)
  metrics.onCollect(() => {
    const row = counts.get() as { repositories: number; users: number; organizations: number }
    metrics.repositories.set(row.repositories)
    metrics.users.set(row.users)
    metrics.organizations.set(row.organizations)
  })
}
