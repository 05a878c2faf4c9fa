/**
 * Defects that a node may well have, each with the one check that must catch it and what that check must say. A check
 * that passes with its defect planted proves nothing (DESIGN §9).
 */
import { target as pktLine } from '../fuzz/targets/pkt-line.fuzz.ts'
import { CHECKS, type Check } from './checks.ts'

const LENIENT_LENGTH = pktLine.planted['lenient-length']

export interface Defect {
  /** Of the criterion or testing item that it breaks. */
  readonly criterion: string
  readonly what: string
  /** Relative to the repository's root. */
  readonly file: string
  /** What is there once… */
  readonly from: string
  /** …and what stands there instead. */
  readonly to: string
  /** Where one place alone would be caught by another one. */
  readonly also?: { readonly file: string; readonly from: string; readonly to: string }
  /** A file that is copied first: its path, and the copy's. */
  readonly copies?: readonly [from: string, to: string]
  readonly check: Check
  /**
   * What the one assertion that finds it says, so that the check fails for this reason and not for another one. It is
   * held against failure messages only: never titles, stacks or output.
   */
  readonly says: RegExp
}

const tests = (project: 'unit' | 'property' | 'integration', file: string, name?: string): Check => ({
  kind: 'tests',
  what: file,
  project,
  file,
  ...(name !== undefined && { name }),
})
const integration = (file: string, name?: string): Check => tests('integration', `integration/${file}.test.ts`, name)

export const DEFECTS = {
  'log-line-without-request-id': {
    criterion: 'S1',
    what: 'log lines name the trace and not the request',
    file: 'src/observability/logging.ts',
    from: 'request_id: context.requestId,',
    to: 'request_id: context.operation,',
    check: CHECKS['log-attribution'],
    says: /expected \[\] to deeply equal \[ …\(\d+\) \]/,
  },
  'secret-in-a-log-line': {
    criterion: 'S1',
    what: 'log lines are written as they are',
    file: 'src/observability/logging.ts',
    from: 'const redacted = redactText(line)',
    to: 'const redacted = line',
    check: CHECKS.secrets,
    says: /expected \[ .+ \] to deeply equal \[\]/,
  },
  'metric-never-moved': {
    criterion: 'S2',
    what: 'messages to peers are not counted',
    file: 'src/p2p/exchange-client.ts',
    from: 'this.#metrics.p2pMessagesSent.inc({ type: exchange })',
    to: 'void exchange',
    check: CHECKS['metrics-of-peers'],
    says: /expected false to be true/,
  },
  'client-makes-series': {
    criterion: 'S2',
    what: 'the label path is what a client asked for',
    file: 'src/http/access-log.ts',
    from: 'const route = { method, path: state.route }',
    to: "const route = { method, path: request.url ?? '' }",
    also: {
      file: 'src/observability/metrics.ts',
      from: 'const isKnown = value !== undefined && values.has(value)',
      to: "const isKnown = value !== undefined && (label === 'path' || values.has(value))",
    },
    check: CHECKS['metrics-exposition'],
    says: /expected \[ …\(\d+\) \] to deeply equal \[\]/,
  },
  'unknown-key-accepted': {
    criterion: 'S3',
    what: 'a variable with a typing error is ignored',
    file: 'src/config/sources.ts',
    from: 'if (field === undefined) problems.push(unknownName(entry, [...known.keys()]))',
    to: 'if (field === undefined) void unknownName',
    check: CHECKS['configuration-mistakes'],
    says: /expected \[\] to deeply equal \[ ObjectContaining/,
  },
  'variable-read-by-nobody': {
    criterion: 'S3',
    what: 'GUTS_P2P_SYNC_INTERVAL is validated, and a constant used',
    file: 'src/node.ts',
    from: 'intervalMs: config.p2pSyncIntervalS * 1_000,',
    to: 'intervalMs: 10_000,',
    check: integration('configuration-peers', 'GUTS_P2P_SYNC_INTERVAL'),
    says: /expected \d to be greater than or equal to 4/,
  },
  'route-without-validation': {
    criterion: 'S4',
    what: 'the query of a request is taken as it is',
    file: 'src/http/dispatch.ts',
    from: 'query: parsePart(route.query, given.query),',
    to: 'query: given.query as never,',
    check: integration('rest-bad-input', 'a query that is none'),
    says: /expected 500 to be 422/,
  },
  'unverified-entry-applied': {
    criterion: 'S4',
    what: 'a mirror applies entries whoever signed them',
    file: 'src/storage/repositories/ref-log.ts',
    from: 'if (!isSigned(signed)) {',
    to: 'if (!isSigned(signed) && signed.bytes.length === 0) {',
    check: integration('lying-home', 'an entry signed by another key'),
    says: /expected \+?0 to be greater than \+?0/,
  },
  'chain-not-checked': {
    criterion: 'S4',
    what: 'an entry may follow any other one',
    file: 'src/storage/repositories/ref-log.ts',
    from: 'if (!entry.previous.equals(hash)) {',
    to: 'if (!entry.previous.equals(hash) && hash.length === 0) {',
    check: tests('unit', 'src/storage/repositories/ref-log.test.ts', 'another past'),
    says: /expected 'accepted' to be 'chain_broken'/,
  },
  'private-told-to-peers': {
    criterion: 'S4',
    what: 'peers are told of private repositories',
    file: 'src/p2p/replication/home.ts',
    from: "const PUBLIC = 'r.private = 0 AND ",
    to: "const PUBLIC = '",
    check: integration('hostile-peer', 'what is private and what there is not'),
    says: /expected \[ 'open', 'secret' \] to deeply equal \[ 'open' \]/,
  },
  'count-trusted': {
    criterion: 'S5',
    what: 'the number of objects that a pack declares is believed',
    file: 'src/git/pack/header.ts',
    from: 'if (declaredObjects > objectsMax) {',
    to: 'if (declaredObjects > objectsMax && objectsMax < 0) {',
    check: integration('git-bad-packs', 'one object more than a pack may have'),
    says: /expected 'unpack ok.*' to match/,
  },
  'not-synced-before-the-answer': {
    criterion: 'S5',
    what: 'a pack is acknowledged that is not on the disk yet',
    file: 'src/transfer/receive-pack.ts',
    from: '    const synced = file.sync()\n',
    to: '    const synced = Promise.resolve()\n',
    check: integration('power-cut', 'loses nothing that was acknowledged'),
    says: /expected 'git clone .*' to be undefined/,
  },
  'pack-published-unsynced': {
    criterion: 'S5',
    what: 'refs change before the names of the objects that they need are on the disk',
    file: 'src/storage/repositories/pack-files.ts',
    from: '    await this.#fileSystem.syncDirectory(directory)\n',
    to: '',
    check: integration('crash-states', 'leaves the state before or after'),
    says: /expected 'first push: after step .*' to be undefined/,
  },
  'health-constant': {
    criterion: 'S6',
    what: 'the storage check says up whatever it found',
    file: 'src/storage/health.ts',
    from: "return { status: outcomes[2].low ? 'down' : 'up', latency_ms }",
    to: "return { status: 'up', latency_ms }",
    check: integration('readiness', 'falls below the free space that is demanded'),
    says: /expected \{ status: 200, .* to match object \{ status: 503, /,
  },
  'maintenance-is-ready': {
    criterion: 'S6',
    what: 'a node in maintenance says that it is ready',
    file: 'src/health/probes.ts',
    from: 'maintenance: maintenance() }',
    to: 'maintenance: maintenance() && false }',
    check: integration('readiness', 'refuses changes and not reading'),
    says: /expected undefined to deeply equal \[ 'maintenance' \]/,
  },
  'breaker-never-opens': {
    criterion: 'S7',
    what: 'no number of failures opens a circuit',
    file: 'src/resilience/outbound.ts',
    from: 'failuresMax: this.#options.breakerThreshold,',
    to: 'failuresMax: Number.MAX_SAFE_INTEGER,',
    check: integration('configuration-peers', 'open the circuit'),
    says: /expected \+?0 to be 2/,
  },
  'breaker-never-closes': {
    criterion: 'S7',
    what: 'no number of successes closes a circuit',
    file: 'src/resilience/outbound.ts',
    from: 'successThreshold: 2,',
    to: 'successThreshold: 1_000_000,',
    check: tests('unit', 'src/resilience/outbound-circuit.test.ts', 'closes with the second success'),
    says: /expected 'half_open' to be 'closed'/,
  },
  'retry-without-delay': {
    criterion: 'S8',
    what: 'attempts follow each other at once',
    file: 'src/resilience/backoff.ts',
    from: 'initialDelay: DELAY_MS_FIRST,',
    to: 'initialDelay: 0,',
    check: tests('property', 'property/backoff.property.ts'),
    says: /Property failed after [^]*Counterexample: \[1\]/,
  },
  'one-attempt-too-many': {
    criterion: 'S8',
    what: 'attempts are counted without the first one',
    file: 'src/resilience/outbound.ts',
    from: 'maxAttempts: this.#attemptsMax(call) - 1 }',
    to: 'maxAttempts: this.#attemptsMax(call) }',
    check: tests('unit', 'src/resilience/outbound.test.ts', 'makes as many attempts as it is told'),
    says: /expected Error: attempt 4 to match object \{ message: 'attempt 3' \}/,
  },
  'time-out-keeps-the-socket': {
    criterion: 'S9',
    what: 'an attempt that took too long goes on behind the back of its caller',
    file: 'src/resilience/outbound.ts',
    from: 'fn({ signal: attemptSignal,',
    to: 'fn({ signal: new AbortController().signal,',
    check: tests('unit', 'src/resilience/outbound-sockets.test.ts', 'whose time is over'),
    says: /expected \+?0 to be 3/,
  },
  'stall-not-ended': {
    criterion: 'S9',
    what: 'a body that never comes is waited for',
    file: 'src/http/dispatch.ts',
    from: '{ timeoutMs, signal, onLateError: (err) =>',
    to: '{ timeoutMs: timeoutMs * 1_000, signal, onLateError: (err) =>',
    check: CHECKS['request-timeouts'],
    says: /expected 'HTTP\/1\.1 100 Continue.*' to match .* 504 /,
  },
  'report-without-side-band': {
    criterion: 'S10',
    what: 'the report of a push is sent bare to a client that asked for bands',
    file: 'src/transfer/push.ts',
    from: 'encodeReport(unpackError, refs, this.#framing)',
    to: "encodeReport(unpackError, refs, 'none')",
    check: integration('replication', 'a push to a mirror is refused'),
    says: /protocol error: bad band #/,
  },
  'clone-without-blobs': {
    criterion: 'S10',
    what: 'trees are walked, and their files left out',
    file: 'src/git/object-graph/select.ts',
    from: 'if (mode === GITLINK_MODE || !this.#visit(',
    to: 'if (mode !== TREE_MODE || !this.#visit(',
    check: tests('unit', 'src/git/object-graph/select.test.ts'),
    says: /to have a length of 9 but got 6/,
  },
  'stale-old-id-accepted': {
    criterion: 'S10',
    what: 'a ref is changed whatever its value is',
    file: 'src/storage/repositories/ref-store.ts',
    from: 'SET oid = ?, peeled = ? WHERE repository_id = ? AND name = ? AND oid = ?',
    to: 'SET oid = ?, peeled = ? WHERE repository_id = ? AND name = ? AND ? IS NOT NULL',
    check: tests('unit', 'src/storage/repositories/ref-store.test.ts', 'compare-and-swap'),
    says: /to have a length of 1 but got 20/,
  },
  'lenient-length': {
    criterion: 'T1',
    what: 'the length +00a is read as 10',
    file: LENIENT_LENGTH.file,
    from: LENIENT_LENGTH.from,
    to: LENIENT_LENGTH.to,
    check: tests('property', 'property/pkt-line.property.ts'),
    says: /Property failed after [^]*Counterexample: \[Buffer\.from\(/,
  },
  'fuzz-target-drives-a-copy': {
    criterion: 'T2',
    what: 'a fuzz target drives a copy of the code, which nobody ships',
    file: 'fuzz/targets/receive-pack.fuzz.ts',
    from: '../../src/git/protocol/push-request.ts',
    to: '../../src/git/protocol/push-request-copy.ts',
    copies: ['src/git/protocol/push-request.ts', 'src/git/protocol/push-request-copy.ts'],
    check: CHECKS['fuzz-drives-shipped-code'],
    says: /expected 'src\/git\/protocol\/push-request\.ts is n/,
  },
  'byte-counter-off': {
    criterion: 'T4',
    what: 'the bytes of answers are counted one in a hundred too high',
    file: 'src/http/access-log.ts',
    from: 'metrics.httpResponseSize.observe(route, bytesOut)',
    to: 'metrics.httpResponseSize.observe(route, Math.ceil(bytesOut * 1.01))',
    check: {
      kind: 'suite',
      what: 'the books of client and node',
      script: 'load',
      suite: 'load',
      args: ['api', '--short'],
      seeded: true,
    },
    says: /the client got bodies of \d+ bytes, the node counted \d+/,
  },
  'deepening-counted-from-the-tip': {
    criterion: 'G1',
    what: 'a fetch that asks for so many commits more is given so many in all',
    file: 'src/git/protocol/history-arguments.ts',
    from: '? { depth, relative, sinceS, not }',
    to: '? { depth, relative: false, sinceS, not }',
    check: {
      kind: 'suite',
      what: 'one client with a node and with C git',
      script: 'compat',
      suite: 'compat',
      args: ['git'],
      seeded: true,
      long: true,
    },
    says: /ends with another clone/,
  },
} as const satisfies Readonly<Record<string, Defect>>

export type DefectName = keyof typeof DEFECTS
