/** What happened in a run, as those outside saw it: what checkers judge and the timeline shows. Times are milliseconds since the run's beginning. */

export const NODES = ['home', 'mirror-1', 'mirror-2'] as const
export type NodeName = (typeof NODES)[number]
export type MirrorName = Exclude<NodeName, 'home'>
export const MIRRORS = ['mirror-1', 'mirror-2'] as const satisfies readonly MirrorName[]

/** Every way on which two nodes talk. The second one dials. */
export const LINKS = {
  'home--mirror-1': ['home', 'mirror-1'],
  'home--mirror-2': ['home', 'mirror-2'],
  'mirror-1--mirror-2': ['mirror-1', 'mirror-2'],
} as const satisfies Record<string, readonly [listens: NodeName, dials: NodeName]>
export type LinkName = keyof typeof LINKS
export const LINK_NAMES = Object.keys(LINKS) as LinkName[]

/** One thing that is done to the nodes or to what lies between them. */
export type Action =
  | { readonly kind: 'slow'; readonly link: LinkName; readonly latencyMs: number; readonly rateKBps: number }
  /** Bytes that travel towards `towards` are lost; those of the other direction arrive. */
  | { readonly kind: 'black-hole'; readonly link: LinkName; readonly towards: NodeName }
  | { readonly kind: 'cut'; readonly link: LinkName }
  | { readonly kind: 'reset'; readonly link: LinkName }
  /** `kill -9`, so long after the next push began at the home, or the next pack began to arrive at a mirror. */
  | { readonly kind: 'kill'; readonly node: NodeName; readonly during: 'push' | 'apply'; readonly afterMs: number }

export interface Fault {
  readonly action: Action
  readonly beganMs: number
  /** undefined: it was not taken back. */
  endedMs: number | undefined
  /** What shows, besides our having ordered it, that it came to what it was meant for; undefined: nothing does. */
  effect: string | undefined
}

export interface RefUpdate {
  readonly ref: string
  /** What the pusher said that it is; undefined: not there. */
  readonly from: string | undefined
  /** undefined: deleted */
  readonly to: string | undefined
}

/**
 * One push of one sequential pusher. All refs that only this pusher changes, or that are raced for, are a line; the
 * first update is of the ref that is the line's clock: no value of it comes twice, and each push of the line changes it.
 */
export interface Push {
  readonly pusher: string
  readonly repository: string
  readonly line: string
  readonly updates: readonly RefUpdate[]
  readonly beganMs: number
  readonly endedMs: number
  /** unknown: nobody said how it ended. */
  readonly outcome: 'acknowledged' | 'refused' | 'unknown'
  /** What git said. */
  readonly said: string
}

export type Refs = Readonly<Record<string, string>>

/** All refs of a repository, as a node listed them at some moment in between. */
export interface Read {
  /** clone: a clone had them in the end. */
  readonly by: 'list' | 'clone'
  readonly node: NodeName
  readonly repository: string
  readonly beganMs: number
  readonly endedMs: number
  readonly refs: Refs
}

/** A node gave no such list. */
export interface FailedRead {
  readonly node: NodeName
  readonly repository: string
  readonly beganMs: number
  readonly endedMs: number
  /** malformed: it answered, but not with a list of refs; overload: it said that it has too much to do. */
  readonly kind: 'malformed' | 'overload' | 'failed'
  readonly problem: string
}

/** A clone through a node, looked at with `git fsck`. */
export interface Clone {
  readonly node: NodeName
  readonly repository: string
  readonly beganMs: number
  readonly endedMs: number
  /** What was wrong; undefined: nothing. */
  readonly problem: CloneProblem | undefined
}

export interface CloneProblem {
  /** time-out: git neither got it nor was told that it would not; fsck: it is there, and not whole. */
  readonly kind: 'transfer' | 'time-out' | 'fsck'
  readonly text: string
}

/** How a node ended that was told to stop. */
export interface Exit {
  readonly node: NodeName
  /** null: by a signal. */
  readonly exitCode: number | null
}

/** What lies on a node's disk in the end, beside what it listed last, and as `git fsck` sees it. */
export interface Fsck {
  readonly node: NodeName
  readonly repository: string
  readonly problem: string | undefined
}

/** A circuit breaker changed, as a node's log says. */
export interface CircuitChange {
  readonly node: NodeName
  readonly peer: NodeName
  readonly from: string
  readonly to: string
  readonly atMs: number
  /** The last failure, where it opened; else empty. */
  readonly why: string
}

/** How far a mirror says that it is behind. */
export interface Lag {
  readonly node: NodeName
  readonly atMs: number
  readonly lagS: number
}

/** A node's log says that something went wrong. */
export interface Complaint {
  readonly node: NodeName
  readonly atMs: number
  readonly message: string
}

export interface History {
  readonly pushes: Push[]
  readonly reads: Read[]
  readonly failedReads: FailedRead[]
  readonly clones: Clone[]
  readonly fscks: Fsck[]
  readonly faults: Fault[]
  readonly circuits: CircuitChange[]
  readonly lags: Lag[]
  readonly complaints: Complaint[]
  readonly exits: Exit[]
  /** When the last fault was taken back and the last push had ended; undefined: the run ended before. */
  healedMs: number | undefined
  endedMs: number
}

export function emptyHistory(): History {
  return {
    pushes: [],
    reads: [],
    failedReads: [],
    clones: [],
    fscks: [],
    faults: [],
    circuits: [],
    lags: [],
    complaints: [],
    exits: [],
    healedMs: undefined,
    endedMs: 0,
  }
}

/** What was ordered. */
export function describeAction(action: Action): string {
  switch (action.kind) {
    case 'slow':
      return `${action.link} slow: ${action.latencyMs} ms, ${action.rateKBps} kB/s`
    case 'black-hole':
      return `${action.link}: what goes to ${action.towards} is lost`
    case 'cut':
      return `${action.link} cut`
    case 'reset':
      return `${action.link} resets connections`
    case 'kill':
      return `kill -9 of ${action.node}, meant to come ${action.afterMs} ms into a ${action.during === 'push' ? 'push' : 'pack'}`
  }
}

/** What came of it. */
export function describeFault({ action, endedMs, effect }: Fault): string {
  const what = action.kind === 'kill' ? `kill -9 of ${action.node}` : describeAction(action)
  if (endedMs === undefined) return what
  return `${what} (${effect ?? 'to no effect that was seen'})`
}

/** Where it shows on the timeline. */
export function placeOf(action: Action): LinkName | NodeName {
  return action.kind === 'kill' ? action.node : action.link
}
