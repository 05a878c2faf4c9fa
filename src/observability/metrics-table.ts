/**
 * Every metric of the node (DESIGN §4.7). Label values come from the closed sets in label-sets.ts, so no client can
 * create a series (I10); a set with a member that begins with `_` takes unknown values under it. To add a metric: one
 * entry.
 */
import {
  BREAKER_STATES,
  BULKHEADS,
  CLIENT_KINDS,
  DEPENDENCIES,
  DIRECTIONS,
  EXCHANGE_TYPES,
  GIT_RESULTS,
  GIT_SERVICES,
  GIT_VERSIONS,
  HEALTH_CHECKS,
  HTTP_METHODS,
  HTTP_STATUSES,
  ISSUE_STATES,
  LISTENERS,
  MAINTENANCE_FILES,
  MAINTENANCE_RESULTS,
  MESSAGE_TYPES,
  OBJECT_TYPES,
  P2P_REFUSALS,
  PULL_REQUEST_STATES,
  REJECTIONS,
  REPLICATION_FAILURES,
  STORAGE_OPERATIONS,
  TIMEOUTS,
} from './label-sets.ts'

/** The label's set is known when the node starts: route templates, versions. */
export const GIVEN_AT_START = Symbol('given at start')

type LabelSet = readonly string[] | typeof GIVEN_AT_START

export interface MetricDeclaration {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly unit: string
  readonly labels: Readonly<Record<string, LabelSet>>
  readonly help: string
  /** What has to happen for the value to change. */
  readonly movedBy: string
  /** Upper bounds of a histogram. */
  readonly buckets?: readonly number[]
}

/** Near enough to each other that a quantile read from them is within a factor of two and a half. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800]
const BYTES = [0, 128, 512, 2 ** 11, 2 ** 13, 2 ** 15, 2 ** 17, 2 ** 19, 2 ** 21, 2 ** 23, 2 ** 25, 2 ** 27, 2 ** 30]

const ROUTE = { method: HTTP_METHODS, path: GIVEN_AT_START } as const
const counter = { type: 'counter', labels: {} } as const
const gauge = { type: 'gauge', labels: {} } as const
const seconds = { type: 'histogram', unit: 'seconds', buckets: SECONDS, labels: {} } as const
const bytes = { type: 'histogram', unit: 'bytes', buckets: BYTES, labels: {} } as const

export const METRICS = {
  httpRequests: {
    ...counter,
    name: 'guts_http_requests_total',
    unit: 'requests',
    labels: { ...ROUTE, status: HTTP_STATUSES },
    help: 'Requests answered or given up, by method, route template and status; 499: the client left first.',
    movedBy: 'the end of each answer, on both listeners, and each malformed request',
  },
  httpRequestDuration: {
    ...seconds,
    name: 'guts_http_request_duration_seconds',
    labels: ROUTE,
    help: 'Time from the end of the request headers to the end of the answer.',
    movedBy: 'the end of each answer',
  },
  httpRequestSize: {
    ...bytes,
    name: 'guts_http_request_size_bytes',
    labels: ROUTE,
    help: 'Bytes of the request body as they came in, before decompression.',
    movedBy: 'the end of each answer',
  },
  httpResponseSize: {
    ...bytes,
    name: 'guts_http_response_size_bytes',
    labels: ROUTE,
    help: 'Bytes of the response body as they went out.',
    movedBy: 'the end of each answer',
  },
  httpRequestsInFlight: {
    ...gauge,
    name: 'guts_http_requests_in_flight',
    unit: 'requests',
    labels: { listener: LISTENERS },
    help: 'Requests that have begun and not ended.',
    movedBy: 'begin and end of each request',
  },
  httpConnections: {
    ...gauge,
    name: 'guts_http_connections',
    unit: 'connections',
    labels: { listener: LISTENERS },
    help: 'Open connections of clients.',
    movedBy: 'each connection that is accepted or closed',
  },
  rejections: {
    ...counter,
    name: 'guts_http_rejections_total',
    unit: 'requests',
    labels: { reason: REJECTIONS },
    help: 'Requests and connections turned away to protect the node, by reason.',
    movedBy: 'each refusal by connection cap, parser, load shedding, full queue, rate limit or header timeout',
  },
  rateLimitRefusals: {
    ...counter,
    name: 'guts_rate_limit_refusals_total',
    unit: 'requests',
    labels: { client: CLIENT_KINDS },
    help: 'Requests over the rate limit, by kind of client.',
    movedBy: 'each 429',
  },
  bulkheadInFlight: {
    ...gauge,
    name: 'guts_bulkhead_in_flight',
    unit: 'operations',
    labels: { bulkhead: BULKHEADS },
    help: 'Operations that hold a slot.',
    movedBy: 'each operation that gets or gives back a slot',
  },
  bulkheadQueued: {
    ...gauge,
    name: 'guts_bulkhead_queued',
    unit: 'operations',
    labels: { bulkhead: BULKHEADS },
    help: 'Operations that wait for a slot.',
    movedBy: 'each operation that joins or leaves the queue',
  },
  bulkheadWait: {
    ...seconds,
    name: 'guts_bulkhead_wait_seconds',
    labels: { bulkhead: BULKHEADS },
    help: 'Time operations waited for their slot.',
    movedBy: 'each operation that gets a slot',
  },
  loadShedding: {
    ...gauge,
    name: 'guts_load_shedding',
    unit: 'state',
    help: '1 while requests are refused to protect the node, else 0.',
    movedBy: 'the load shedder, when it begins and stops shedding',
  },
  circuitBreakerState: {
    ...gauge,
    name: 'guts_circuit_breaker_state',
    unit: 'state',
    labels: { dependency: DEPENDENCIES },
    help: 'Worst state of the breakers of this kind: 0 closed, 1 half open, 2 open.',
    movedBy: 'each change of a breaker',
  },
  circuitBreakerTransitions: {
    ...counter,
    name: 'guts_circuit_breaker_transitions_total',
    unit: 'transitions',
    labels: { dependency: DEPENDENCIES, to: BREAKER_STATES },
    help: 'Changes of circuit breakers, by the state they went to.',
    movedBy: 'each change of a breaker',
  },
  retries: {
    ...counter,
    name: 'guts_retries_total',
    unit: 'attempts',
    labels: { dependency: DEPENDENCIES },
    help: 'Attempts after the first.',
    movedBy: 'the retry policy, before each further attempt',
  },
  timeouts: {
    ...counter,
    name: 'guts_timeouts_total',
    unit: 'operations',
    labels: { operation: TIMEOUTS },
    help: 'Operations ended because they took too long or made no progress.',
    movedBy: 'each deadline or watchdog that fires',
  },
  gitOperations: {
    ...counter,
    name: 'guts_git_operations_total',
    unit: 'operations',
    labels: { service: GIT_SERVICES, version: GIT_VERSIONS, result: GIT_RESULTS },
    help: 'Git operations by service, protocol version and result.',
    movedBy: 'the end of each fetch, listing of refs and push',
  },
  gitOperationDuration: {
    ...seconds,
    name: 'guts_git_operation_duration_seconds',
    labels: { service: GIT_SERVICES },
    help: 'Time of a git operation, its queueing included.',
    movedBy: 'the end of each git operation',
  },
  gitPackBytes: {
    ...counter,
    name: 'guts_git_pack_bytes_total',
    unit: 'bytes',
    labels: { direction: DIRECTIONS },
    help: 'Bytes of packs received from and sent to clients.',
    movedBy: 'each pack, as it ends',
  },
  gitObjects: {
    ...counter,
    name: 'guts_git_objects_total',
    unit: 'objects',
    labels: { direction: DIRECTIONS },
    help: 'Objects in packs received from and sent to clients.',
    movedBy: 'each pack, as it ends',
  },
  gitLateFailures: {
    ...counter,
    name: 'guts_git_late_failures_total',
    unit: 'operations',
    labels: { service: GIT_SERVICES },
    help: 'Git operations that failed after their status 200 had been sent.',
    movedBy: 'each failure that could only be told inside the stream, or by ending it',
  },
  p2pPeersConnected: {
    ...gauge,
    name: 'guts_p2p_peers_connected',
    unit: 'peers',
    help: 'Peers with an open connection.',
    movedBy: 'each peer that connects or leaves',
  },
  p2pMessagesSent: {
    ...counter,
    name: 'guts_p2p_messages_sent_total',
    unit: 'messages',
    labels: { type: MESSAGE_TYPES },
    help: 'Messages written to a peer, by message type.',
    movedBy: 'the wire codec, after the stream took the last byte',
  },
  p2pMessagesReceived: {
    ...counter,
    name: 'guts_p2p_messages_received_total',
    unit: 'messages',
    labels: { type: MESSAGE_TYPES },
    help: 'Valid messages read from a peer, by message type.',
    movedBy: 'the wire codec, after a message passed its schema',
  },
  p2pMessageLatency: {
    ...seconds,
    name: 'guts_p2p_message_latency_seconds',
    labels: { type: EXCHANGE_TYPES },
    help: 'Round trip from a message to its answer, matched by message id.',
    movedBy: 'each answer to a message of ours',
  },
  p2pRefusals: {
    ...counter,
    name: 'guts_p2p_refusals_total',
    unit: 'messages',
    labels: { reason: P2P_REFUSALS },
    help: 'Messages, log entries and packs of peers that were refused, by what was wrong with them.',
    movedBy: 'each message that breaks its schema, its limits or the rate, and each entry or pack that is not true',
  },
  p2pReplicationLag: {
    ...gauge,
    name: 'guts_p2p_replication_lag_seconds',
    unit: 'seconds',
    help: 'Over mirrored repositories, the largest time since the oldest entry known but not applied.',
    movedBy: 'replication, on each scrape',
  },
  p2pReplicationFailures: {
    ...counter,
    name: 'guts_p2p_replication_failures_total',
    unit: 'attempts',
    labels: { reason: REPLICATION_FAILURES },
    help: 'Attempts to bring a mirror up to date that failed, by reason.',
    movedBy: 'each failed attempt',
  },
  storageObjects: {
    ...gauge,
    name: 'guts_storage_objects_total',
    unit: 'objects',
    labels: { type: OBJECT_TYPES },
    help: 'Git objects stored, by type.',
    movedBy: 'pushes and maintenance; read from storage on each scrape',
  },
  storagePacks: {
    ...gauge,
    name: 'guts_storage_packs',
    unit: 'packs',
    help: 'Packs stored, of all repositories: what each look-up of an object goes through.',
    movedBy: 'each scrape, from the database: pushes bring packs, maintenance makes few of many',
  },
  storageSize: {
    ...gauge,
    name: 'guts_storage_size_bytes',
    unit: 'bytes',
    help: 'Bytes that repositories and database take on disk.',
    movedBy: 'pushes and maintenance; read from storage on each scrape',
  },
  storageFree: {
    ...gauge,
    name: 'guts_storage_free_bytes',
    unit: 'bytes',
    help: 'Bytes the file system of the data directory has left for us.',
    movedBy: 'the file system; read on each scrape',
  },
  storageOperationDuration: {
    ...seconds,
    name: 'guts_storage_operation_duration_seconds',
    labels: { operation: STORAGE_OPERATIONS },
    help: 'Time of storage operations, by operation.',
    movedBy: 'the end of each storage operation, failed ones included',
  },
  maintenanceRuns: {
    ...counter,
    name: 'guts_maintenance_runs_total',
    unit: 'runs',
    labels: { result: MAINTENANCE_RESULTS },
    help: 'Runs of maintenance that found packs to write anew, by how they ended; stopped: the node ended first.',
    movedBy: 'the end of each run, in the background or asked for by guts repo gc',
  },
  maintenanceDuration: {
    ...seconds,
    name: 'guts_maintenance_duration_seconds',
    help: 'Time of a run of maintenance on one repository.',
    movedBy: 'the end of each run',
  },
  maintenancePacksReplaced: {
    ...counter,
    name: 'guts_maintenance_packs_replaced_total',
    unit: 'packs',
    help: 'Packs that others took the place of, which maintenance wrote.',
    movedBy: 'the end of a run that went well',
  },
  maintenanceFilesWritten: {
    ...counter,
    name: 'guts_maintenance_files_written_total',
    unit: 'files',
    labels: { kind: MAINTENANCE_FILES },
    help: 'Bitmaps and commit-graphs that maintenance wrote, which walks over history are helped by.',
    movedBy: 'each such file that came to its place',
  },
  maintenanceObjects: {
    ...counter,
    name: 'guts_maintenance_objects_total',
    unit: 'objects',
    help: 'Objects that maintenance wrote into new packs: what it costs.',
    movedBy: 'the end of a run that went well',
  },
  maintenancePrunedObjects: {
    ...counter,
    name: 'guts_maintenance_pruned_objects_total',
    unit: 'objects',
    help: 'Objects that are gone because no ref had reached them for longer than the grace.',
    movedBy: 'the end of a run that let some go',
  },
  maintenancePrunedBytes: {
    ...counter,
    name: 'guts_maintenance_pruned_bytes_total',
    unit: 'bytes',
    help: 'Bytes of packs that those objects took.',
    movedBy: 'the end of a run that let some go',
  },
  repositories: {
    ...gauge,
    name: 'guts_repositories_total',
    unit: 'repositories',
    help: 'Repositories on this node.',
    movedBy: 'creation and deletion; read from the database on each scrape',
  },
  users: {
    ...gauge,
    name: 'guts_users_total',
    unit: 'users',
    help: 'Users of this node.',
    movedBy: 'creation and deletion; read from the database on each scrape',
  },
  organizations: {
    ...gauge,
    name: 'guts_organizations_total',
    unit: 'organizations',
    help: 'Organizations of this node.',
    movedBy: 'creation and deletion; read from the database on each scrape',
  },
  pullRequests: {
    ...gauge,
    name: 'guts_pull_requests_total',
    unit: 'pull requests',
    labels: { state: PULL_REQUEST_STATES },
    help: 'Pull requests, by state.',
    movedBy: 'each change of state; read from the database on each scrape',
  },
  issues: {
    ...gauge,
    name: 'guts_issues_total',
    unit: 'issues',
    labels: { state: ISSUE_STATES },
    help: 'Issues, by state.',
    movedBy: 'each change of state; read from the database on each scrape',
  },
  healthCheckUp: {
    ...gauge,
    name: 'guts_health_check_up',
    unit: 'state',
    labels: { check: HEALTH_CHECKS },
    help: '1 while the check succeeds, else 0.',
    movedBy: 'each run of the check; a scrape runs it when its answer is older than a second',
  },
  ready: {
    ...gauge,
    name: 'guts_ready',
    unit: 'state',
    help: '1 while the node answers that it is ready, else 0.',
    movedBy: 'the health service, on each scrape',
  },
  eventLoopDelay: {
    ...gauge,
    name: 'guts_event_loop_delay_seconds',
    unit: 'seconds',
    help: 'Smoothed time by which the event loop runs late; load shedding acts on it.',
    movedBy: 'the load shedder, several times a second',
  },
  logLosses: {
    ...counter,
    name: 'guts_log_losses_total',
    unit: 'losses',
    help: 'Times log lines were lost or held back because our output could not be written.',
    movedBy: 'each line over the buffer limit and each failed write',
  },
  metricsCollectionFailures: {
    ...counter,
    name: 'guts_metrics_collection_failures_total',
    unit: 'collections',
    help: 'Times a gauge kept its old value because its source failed or was too slow.',
    movedBy: 'each failed collection before a scrape',
  },
  buildInfo: {
    ...gauge,
    name: 'guts_build_info',
    unit: 'info',
    labels: { version: GIVEN_AT_START, node: GIVEN_AT_START },
    help: 'Always 1; the labels name the version of Guts and of Node.js.',
    movedBy: 'the start',
  },
} as const satisfies Record<string, MetricDeclaration>
