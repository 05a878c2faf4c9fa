import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import { sql } from 'kysely'

/** Every change to the tables, in order; a step that was released is never edited. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001_first': {
    async up(db: Kysely<unknown>): Promise<void> {
      for (const statement of FIRST) await sql.raw(statement).execute(db)
    },
  },
  '0002_replication': {
    async up(db: Kysely<unknown>): Promise<void> {
      for (const statement of REPLICATION) await sql.raw(statement).execute(db)
    },
  },
  '0003_maintenance': {
    async up(db: Kysely<unknown>): Promise<void> {
      for (const statement of MAINTENANCE) await sql.raw(statement).execute(db)
    },
  },
  '0004_pruning': {
    async up(db: Kysely<unknown>): Promise<void> {
      for (const statement of PRUNING) await sql.raw(statement).execute(db)
    },
  },
}

const FIRST = [
  `CREATE TABLE node_lease (
    id INTEGER PRIMARY KEY CHECK (id = 1), holder TEXT NOT NULL, fence INTEGER NOT NULL, renewed_at INTEGER NOT NULL
  )`,
  `CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL)`,
  `CREATE TABLE owners (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL CHECK (kind IN ('user', 'organization')),
    created_at INTEGER NOT NULL
  )`,
  `CREATE TABLE users (
    id TEXT PRIMARY KEY REFERENCES owners (id) ON DELETE CASCADE, admin INTEGER NOT NULL CHECK (admin IN (0, 1))
  )`,
  `CREATE TABLE tokens (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE, name TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE, created_at INTEGER NOT NULL, expires_at INTEGER
  )`,
  `CREATE INDEX tokens_by_user ON tokens (user_id)`,
  `CREATE TABLE repositories (
    id TEXT PRIMARY KEY, owner_id TEXT NOT NULL REFERENCES owners (id), name TEXT NOT NULL,
    description TEXT NOT NULL, private INTEGER NOT NULL CHECK (private IN (0, 1)),
    head TEXT NOT NULL, head_unborn INTEGER NOT NULL DEFAULT 1 CHECK (head_unborn IN (0, 1)),
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, pushed_at INTEGER,
    sequence INTEGER NOT NULL DEFAULT 0, deleted_at INTEGER,
    UNIQUE (owner_id, name)
  )`,
  `CREATE TABLE refs (
    repository_id TEXT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE, name TEXT NOT NULL,
    oid TEXT NOT NULL, peeled TEXT,
    PRIMARY KEY (repository_id, name)
  ) WITHOUT ROWID`,
  `CREATE TABLE ref_transactions (
    repository_id TEXT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE, sequence INTEGER NOT NULL,
    time INTEGER NOT NULL, user_id TEXT, changes TEXT NOT NULL,
    PRIMARY KEY (repository_id, sequence)
  ) WITHOUT ROWID`,
  `CREATE TABLE packs (
    repository_id TEXT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE, name TEXT NOT NULL,
    bytes INTEGER NOT NULL, commits INTEGER NOT NULL, trees INTEGER NOT NULL, blobs INTEGER NOT NULL,
    tags INTEGER NOT NULL,
    PRIMARY KEY (repository_id, name)
  ) WITHOUT ROWID`,
]

const REPLICATION = [
  'ALTER TABLE repositories ADD COLUMN log_hash BLOB',
  'ALTER TABLE repositories ADD COLUMN home TEXT',
  'ALTER TABLE repositories ADD COLUMN home_id TEXT',
  'ALTER TABLE repositories ADD COLUMN home_url TEXT',
  'CREATE UNIQUE INDEX repositories_by_home ON repositories (home, home_id) WHERE home IS NOT NULL',
  'ALTER TABLE ref_transactions ADD COLUMN head TEXT',
  'ALTER TABLE ref_transactions ADD COLUMN hash BLOB',
  'ALTER TABLE ref_transactions ADD COLUMN signature BLOB',
  `CREATE TABLE mirror_subscriptions (
    peer TEXT NOT NULL, address TEXT NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL, created_at INTEGER NOT NULL,
    PRIMARY KEY (peer, owner, name)
  ) WITHOUT ROWID`,
]

const MAINTENANCE = [
  `CREATE TABLE maintenance_requests (
    id TEXT PRIMARY KEY, repository_id TEXT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    requested_at INTEGER NOT NULL, outcome TEXT
  )`,
]

const PRUNING = [
  'ALTER TABLE packs ADD COLUMN unreachable_since INTEGER',
  'ALTER TABLE repositories ADD COLUMN looked_at_sequence INTEGER',
]
