import type { Generated } from 'kysely'

/** The database's tables, as kysely types them; `migrations/` makes them. Times are milliseconds since 1970 (UTC). */
export interface Schema {
  node_lease: LeaseTable
  settings: { key: string; value: string }
  owners: OwnerTable
  users: UserTable
  tokens: TokenTable
  repositories: RepositoryTable
  refs: RefTable
  ref_transactions: RefTransactionTable
  packs: PackTable
  mirror_subscriptions: MirrorSubscriptionTable
  maintenance_requests: MaintenanceRequestTable
}

/** One row: which process may write. */
interface LeaseTable {
  id: 1
  holder: string
  /** Grows with every holder, so that one who lost the lease can be told from the next. */
  fence: number
  renewed_at: number
}

/** One name space for users and organizations: `owner` of a repository's path. */
interface OwnerTable {
  id: string
  name: string
  kind: 'user' | 'organization'
  created_at: number
}

interface UserTable {
  /** owners.id */
  id: string
  admin: 0 | 1
}

interface TokenTable {
  id: string
  user_id: string
  name: string
  /** SHA-256 of the whole token. */
  hash: Uint8Array
  created_at: number
  /** null: never */
  expires_at: number | null
}

interface RepositoryTable {
  id: string
  owner_id: string
  name: string
  description: string
  private: 0 | 1
  /** What HEAD points to, e.g. refs/heads/main. */
  head: string
  /** 1 while HEAD was never set by a push or a person: the first push decides. */
  head_unborn: Generated<0 | 1>
  created_at: number
  updated_at: number
  pushed_at: number | null
  /** Sequence of the last ref transaction. */
  sequence: Generated<number>
  /** Hash of its entry in the log; null: there is none, or it is to be signed at the next start. */
  log_hash: Generated<Uint8Array | null>
  /** Peer id of the node that orders its refs; null: this one. */
  home: Generated<string | null>
  /** Its id there. */
  home_id: Generated<string | null>
  /** Where its home says that people reach it. */
  home_url: Generated<string | null>
  /** Set while the repository is being deleted: it is invisible, and start-up finishes the work. */
  deleted_at: number | null
  /** Of the refs when somebody last looked for what they do not reach; null: nobody has. */
  looked_at_sequence: Generated<number | null>
}

interface RefTable {
  repository_id: string
  name: string
  oid: string
  /** What an annotated tag finally points to. */
  peeled: string | null
}

/**
 * The log of what happened to a repository's refs: with the hash before, a row is an entry (ref-log.ts). Behind a mirror's
 * sequence are entries that it does not show yet (staged-entries.ts).
 */
interface RefTransactionTable {
  repository_id: string
  sequence: number
  time: number
  user_id: string | null
  /** JSON: [{ ref, old, new }], oids in hex, zeros for none */
  changes: string
  /** What HEAD pointed to from then on, where it changed. */
  head: string | null
  hash: Uint8Array | null
  /** By the home's key. */
  signature: Uint8Array | null
}

/** What an operator wants mirrored here. */
interface MirrorSubscriptionTable {
  /** Peer id of the home. */
  peer: string
  /** Multiaddr to reach it at; empty: it is a bootstrap peer, or connects to us. */
  address: string
  /** Both empty: every repository of that peer that everybody may read. */
  owner: string
  name: string
  created_at: number
}

/** What `guts repo gc` asks of the running node. */
interface MaintenanceRequestTable {
  id: string
  repository_id: string
  requested_at: number
  /** JSON; null: not done yet */
  outcome: string | null
}

interface PackTable {
  repository_id: string
  name: string
  bytes: number
  commits: number
  trees: number
  blobs: number
  tags: number
  /** When the first of its objects was seen not to be reached by refs; null: they reach what is in it, as far as known. */
  unreachable_since: Generated<number | null>
}
