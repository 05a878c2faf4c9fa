/** The ten success criteria and the five testing items (the mission), each with the checks that show it. */
import type { CheckId } from './checks.ts'

export interface Criterion {
  readonly id: string
  readonly title: string
  readonly checks: readonly CheckId[]
}

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
  { id: 'T3', title: 'Chaos', checks: ['chaos', 'replication'] },
  { id: 'T4', title: 'Load', checks: ['load'] },
  { id: 'T5', title: 'Integration', checks: ['integration'] },
]
