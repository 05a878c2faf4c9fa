/** The closed sets that label values come from (I10). A member that begins with `_` takes unknown values. */

export const HTTP_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', '_OTHER'] as const
export const HTTP_STATUSES = [
  '200',
  '201',
  '202',
  '204',
  '206',
  '301',
  '302',
  '304',
  '400',
  '401',
  '403',
  '404',
  '405',
  '406',
  '409',
  '412',
  '413',
  '415',
  '416',
  '417',
  '422',
  '429',
  '499',
  '500',
  '503',
  '504',
  '_OTHER',
]
export const LISTENERS = ['api', 'internal'] as const
export const REJECTIONS = ['connections', 'malformed', 'overload', 'queue_full', 'rate_limit', 'slow_client'] as const
export const CLIENT_KINDS = ['authenticated', 'anonymous'] as const
export const DEPENDENCIES = ['peer'] as const
export const BULKHEADS = ['fetch', 'push', 'large_push', 'browse', ...DEPENDENCIES] as const
export const BREAKER_STATES = ['closed', 'half_open', 'open'] as const
export const TIMEOUTS = ['request', 'transfer', 'health_check', 'peer'] as const
export const GIT_SERVICES = ['upload_pack', 'receive_pack'] as const
export const GIT_VERSIONS = ['0', '1', '2'] as const
export const GIT_RESULTS = ['ok', 'refused', 'failed', 'timeout', 'aborted'] as const
export const DIRECTIONS = ['in', 'out'] as const
export const MESSAGE_TYPES = ['announce', 'log', 'pack', 'status'] as const
/** Messages that are answered: announcements are not. */
export const EXCHANGE_TYPES = ['log', 'pack', 'status'] as const
export const P2P_REFUSALS = [
  'malformed',
  'oversize',
  'unsupported_version',
  'rate_limit',
  'signature',
  'sequence',
  'contradiction',
  'pack',
] as const
export const REPLICATION_FAILURES = ['unreachable', 'timeout', 'refused', 'invalid', 'storage'] as const
export const OBJECT_TYPES = ['commit', 'tree', 'blob', 'tag'] as const
export const STORAGE_OPERATIONS = [
  'object_read',
  'pack_write',
  'pack_publish',
  'packs_replace',
  'refs_read',
  'refs_update',
  'refs_project',
  'repository_create',
  'repository_delete',
  'database_read',
  'database_write',
  'health_check',
] as const
/** What maintenance writes beside packs. */
export const MAINTENANCE_FILES = ['bitmap', 'commit_graph'] as const
export const MAINTENANCE_RESULTS = ['ok', 'failed', 'stopped'] as const
export const PULL_REQUEST_STATES = ['open', 'closed', 'merged'] as const
export const ISSUE_STATES = ['open', 'closed'] as const
export const HEALTH_CHECKS = ['storage', 'p2p', 'consensus'] as const
