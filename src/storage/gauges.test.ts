import { statSync } from 'node:fs'
import { expect, it } from 'vitest'
import { createMetrics } from '../observability/metrics.ts'
import { DiskSpace } from './disk-space.ts'
import { feedStorageGauges } from './gauges.ts'
import { openTestData } from './testing.ts'

it('objects and sizes are those of all packs, with the database', async () => {
  await using data = await openTestData()
  const metrics = createMetrics({
    routePaths: [],
    version: '1',
    onCollectError: (error) => {
      throw error
    },
  })
  feedStorageGauges({ ...data, diskSpace: new DiskSpace(data.paths.root, 0), metrics })
  await data.database.write([
    { sql: `INSERT INTO owners (id, name, kind, created_at) VALUES ('o', 'alice', 'user', 1)`, parameters: [] },
    {
      sql: `INSERT INTO repositories (id, owner_id, name, description, private, head, created_at, updated_at)
        VALUES ('r', 'o', 'site', '', 0, 'refs/heads/main', 1, 1)`,
      parameters: [],
    },
    ...['a', 'b'].map((name) => ({
      sql: `INSERT INTO packs (repository_id, name, bytes, commits, trees, blobs, tags) VALUES ('r', ?, 1000, 1, 2, 3, 4)`,
      parameters: [name],
    })),
  ])
  await metrics.collect()
  const text = await metrics.registry.metrics()
  const value = (series: string): number =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.split(' ')[1],
    )
  const counts = { commit: 2, tree: 4, blob: 6, tag: 8 }
  for (const [type, count] of Object.entries(counts))
    expect(value(`guts_storage_objects_total{type="${type}"}`)).toBe(count)
  expect(value('guts_storage_packs')).toBe(2)
  const database = ['', '-wal', '-shm'].map((suffix) => statSync(data.paths.database + suffix).size)
  expect(value('guts_storage_size_bytes')).toBe(database.reduce((sum, size) => sum + size, 2_000))
  expect(value('guts_storage_free_bytes')).toBeGreaterThan(0)
})
