/** Which promise a checker looks after (DESIGN §3), besides that circuits do their work and that the run was one. */
export const PROMISES = {
  I1: 'Acknowledged is durable',
  I2: 'Closed graph',
  I3: 'Compare-and-swap',
  I5: 'Mirrors only ever lag',
  I6: 'Convergence',
  answers: 'Nodes that run answer',
  circuits: 'Circuits open and close',
  work: 'The run did what it was to do',
} as const
export type Promised = keyof typeof PROMISES

export interface Finding {
  readonly promise: Promised
  /** Where on the timeline to look; undefined: the run as a whole. */
  readonly atMs: number | undefined
  readonly text: string
}
