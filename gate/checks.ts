/** What the gate runs: tests by file and name, and suites by their command. A check is evidence, never a verdict. */

export type Project = 'unit' | 'property' | 'integration'

/** Tests of one file; with `name` only those whose full name holds it. */
export interface TestsCheck {
  readonly kind: 'tests'
  readonly what: string
  readonly project: Project
  readonly file: string
  readonly name?: string
}

/** `npm run SCRIPT -- ARGS`, which writes `reports/SUITE/summary.json`. */
export interface SuiteCheck {
  readonly kind: 'suite'
  readonly what: string
  readonly script: string
  readonly suite: string
  readonly args: readonly string[]
  /** `--seed N` is given with the gate's own. */
  readonly seeded: boolean
  /** Takes minutes, or wants a machine to itself: `--quick` does without. */
  readonly long?: true
}

export type Check = TestsCheck | SuiteCheck

const integration = (file: string, what: string, name?: string): TestsCheck => ({
  kind: 'tests',
  what,
  project: 'integration',
  file: `integration/${file}.test.ts`,
  ...(name !== undefined && { name }),
})
const unit = (file: string, what: string, name?: string): TestsCheck => ({
  kind: 'tests',
  what,
  project: 'unit',
  file: `${file}.test.ts`,
  ...(name !== undefined && { name }),
})
const suite = (
  script: string,
  args: readonly string[],
  what: string,
  { seeded = true, report = script } = {},
): SuiteCheck => ({ kind: 'suite', what, script, suite: report, args, seeded })
const long = (check: SuiteCheck): SuiteCheck => ({ ...check, long: true })

export const CHECKS = {
  'log-attribution': integration('log-attribution', '200 mixed requests at once: each line belongs to its request'),
  secrets: integration('secrets', 'planted secrets are in no log line, span, metric or answer'),
  'metrics-exposition': integration('metrics', '/metrics to promtool and another parser; no client makes a series'),
  'metrics-of-git': integration('metrics-git', 'exact differences of every metric that git moves'),
  'metrics-of-requests': integration('metrics-requests', 'exact differences of every metric that a request moves'),
  'metrics-of-peers': integration('lying-home', 'each message of peers is counted once', 'counted once'),
  'configuration-rules': unit('src/config/limits', 'every variable at its limits and beyond them'),
  'configuration-mistakes': unit('src/config/load', 'precedence, unknown keys, every mistake at once'),
  'configuration-effects': integration('configuration', 'every variable changes what a node does'),
  'configuration-of-peers': integration('configuration-peers', 'every variable of peers changes what is on the wire'),
  'start-refused': integration('start', 'an invalid configuration does not start'),
  'bad-requests': integration('rest-bad-input', 'every route refuses what breaks its schema, in one form'),
  'bad-names': integration('rest-bad-names', 'names that are none are refused'),
  'routes-have-schemas': unit('src/http/route-table', 'a route without schemas cannot be registered'),
  'crash-inputs': integration('git-bad-commands', 'the known crash inputs and commands that are none'),
  'bad-packs': integration('git-bad-packs', 'packs that lie are refused, and the node goes on'),
  'hostile-peers': integration('hostile-peer', 'peers that ask wrongly are told so, and the node goes on'),
  'lying-homes': integration('lying-home', 'nothing that a home says and is not true is applied'),
  'vanishing-clients': integration('vanishing-clients', 'clients that vanish leave nothing behind'),
  readiness: integration('readiness', 'readiness falls with what is really taken away, and recovers'),
  breaker: integration(
    'configuration-peers',
    'failures open the circuit of a peer, successes close it',
    'open the circuit',
  ),
  'breaker-policy': unit('src/resilience/outbound-circuit', 'circuits open, refuse, let one through, and close'),
  retries: integration('configuration-peers', 'so many attempts are on the wire as were asked for', 'are on the wire'),
  'retry-delays': unit('src/resilience/outbound', 'what is tried again, how often and when'),
  timeouts: unit('src/resilience/outbound-sockets', 'a time-out closes the socket that it waited for'),
  'request-timeouts': integration('configuration', 'a body that does not come is given up', 'GUTS_REQUEST_TIMEOUT'),
  'git-over-http': integration('git-over-http', 'pushes and fetches as clients of every habit send them'),
  replication: integration('replication', 'three nodes replicate whatever is done to refs and nodes'),
  'power-cut': integration('power-cut', 'an acknowledged push survives loss of power; each sync is needed'),
  'crash-states': integration('crash-states', 'a crash leaves the state before or after, nothing between'),
  'refs-race': unit('src/storage/repositories/ref-store', 'of racing changes of a ref exactly one wins'),
  'fuzz-drives-shipped-code': unit('fuzz/regression', 'every fuzz target drives shipped code'),
  'fuzz-regression': suite('fuzz', ['--regression'], 'every input that once broke something', {
    seeded: false,
    report: 'fuzz-regression',
  }),
  property: suite('property', [], 'properties of formats, refs, configuration and messages'),
  fuzz: suite('fuzz', ['--time', '40s'], 'every target under coverage feedback'),
  chaos: suite('chaos', ['smoke'], 'three nodes, faults on every link, the invariants afterwards'),
  load: suite('load', ['api', 'push', '--short'], 'k6, and books that balance with the node’s metrics'),
  integration: suite(
    'integration',
    ['containers', 'browser'],
    'the image with its neighbours, the API page in a browser',
  ),
  compat: long(suite('compat', [], 'each client does with a node what it does with C git’s own server')),
  // Their seed makes the history that is cloned: always the same one, so that figures can be compared.
  bench: long(suite('bench', [], 'rates, memory and growth, each beside its goal', { seeded: false })),
  soak: long(
    suite('soak', ['--time', '10m'], 'what a node holds before and after ten minutes of work', { seeded: false }),
  ),
} as const satisfies Readonly<Record<string, Check>>

export type CheckId = keyof typeof CHECKS

export function isLong(check: Check): boolean {
  return check.kind === 'suite' && check.long === true
}
