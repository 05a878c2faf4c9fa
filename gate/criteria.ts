/** What a node is to fulfil before it is released, each with the checks that show it. */
import { CHECKS, type CheckId, isLong } from './checks.ts'

export interface Criterion {
  readonly id: string
  readonly title: string
  readonly checks: readonly CheckId[]
  /** Why `--prove` plants nothing that breaks it, and what shows instead that its checks can fail. */
  readonly notPlanted?: string
}

/** The ten success criteria and the five testing items of the mission, then what the git engine promises. */
export const CRITERIA: readonly Criterion[] = [
  {
    id: 'S1',
    title: 'Every log line carries a request id and context, and no secret',
    checks: ['log-attribution', 'secrets'],
  },
  {
    id: 'S2',
    title: 'Metrics are valid, and each moves for the reason its name says',
    checks: ['metrics-exposition', 'metrics-of-git', 'metrics-of-requests', 'metrics-of-peers'],
  },
  {
    id: 'S3',
    title: 'Configuration is validated at start, and every variable has its effect',
    checks: [
      'configuration-rules',
      'configuration-mistakes',
      'configuration-effects',
      'configuration-of-peers',
      'start-refused',
    ],
  },
  {
    id: 'S4',
    title: 'Every input is validated',
    checks: ['bad-requests', 'bad-names', 'routes-have-schemas', 'hostile-peers', 'lying-homes'],
  },
  {
    id: 'S5',
    title: 'There is no crash path',
    checks: ['crash-inputs', 'bad-packs', 'vanishing-clients', 'power-cut', 'crash-states', 'fuzz-regression'],
  },
  { id: 'S6', title: 'Health tells the truth', checks: ['readiness'] },
  { id: 'S7', title: 'The circuit breaker trips, and closes again', checks: ['breaker', 'breaker-policy'] },
  { id: 'S8', title: 'Retries work', checks: ['retries', 'retry-delays'] },
  { id: 'S9', title: 'Time-outs end stalls', checks: ['timeouts', 'request-timeouts'] },
  {
    id: 'S10',
    title: 'Properties hold over edge cases of the protocol',
    checks: ['property', 'git-over-http', 'refs-race'],
  },
  { id: 'T1', title: 'Property tests', checks: ['property'] },
  { id: 'T2', title: 'Fuzzing', checks: ['fuzz', 'fuzz-drives-shipped-code'] },
  {
    id: 'T3',
    title: 'Chaos',
    checks: ['chaos', 'replication'],
    notPlanted: 'chaos/checkers tests its checkers with histories that break an invariant, one by one',
  },
  { id: 'T4', title: 'Load', checks: ['load'] },
  {
    id: 'T5',
    title: 'Integration',
    checks: ['integration'],
    notPlanted: 'its image is of the tree from which the gate is run, and not of the copy with the defect',
  },
  { id: 'G1', title: 'Clients do with a node what they do with C git’s own server', checks: ['compat'] },
  {
    id: 'G2',
    title: 'Speed and memory reach their goals',
    checks: ['bench'],
    notPlanted:
      'whether a slower node misses a goal depends on the machine; bench/row.test.ts has rows that miss theirs',
  },
  {
    id: 'G3',
    title: 'A node that has worked for a while ends where it began',
    checks: ['soak'],
    notPlanted:
      'it would take half an hour; bench/soak/verdict.test.ts has a state for each thing that may be left behind',
  },
]

/** Those that can be shown in ten minutes. */
export const QUICK_CRITERIA = CRITERIA.filter(({ checks }) => !checks.some((id) => isLong(CHECKS[id])))
