/** What the timeline shows, in rows: data only, from which the chart is drawn. */
import { type History, describeFault, LINK_NAMES, MIRRORS, NODES, placeOf } from '../history.ts'
import { type Point, pushesBehind } from './behind.ts'

/** How something is coloured; the style sheet has one of each. */
export type Tone = 'good' | 'middling' | 'bad' | 'fault' | 'quiet'

export interface Bar {
  readonly fromMs: number
  readonly toMs: number
  readonly tone: Tone
  readonly title: string
}

export interface Tick {
  readonly atMs: number
  readonly tone: Tone
  readonly title: string
}

export type Lane = { readonly label: string } & (
  | { readonly kind: 'bars'; readonly bars: readonly Bar[] }
  | { readonly kind: 'ticks'; readonly ticks: readonly Tick[] }
  | { readonly kind: 'area'; readonly points: readonly Point[]; readonly unit: string }
)

export interface LaneGroup {
  readonly title: string
  readonly lanes: readonly Lane[]
}

const PUSH_TONES = { acknowledged: 'good', refused: 'middling', unknown: 'bad' } as const
const CIRCUIT_TONES: Readonly<Record<string, Tone>> = { closed: 'good', half_open: 'middling', open: 'bad' }

export function lanesOf(history: History, repositories: readonly string[]): LaneGroup[] {
  return [
    { title: 'Faults', lanes: [...LINK_NAMES, ...NODES].map((place) => faultLane(history, place)) },
    { title: 'Pushes to the home', lanes: repositories.map((repository) => pushLane(history, repository)) },
    { title: 'Circuits to the home', lanes: MIRRORS.map((node) => circuitLane(history, node)) },
    {
      title: 'Pushes that a mirror does not list yet',
      lanes: MIRRORS.map((node) => ({
        label: node,
        kind: 'area',
        unit: 'pushes',
        points: pushesBehind(history, repositories, node),
      })),
    },
    {
      title: 'Seconds that a mirror says it is behind',
      lanes: MIRRORS.map((node) => ({
        label: node,
        kind: 'area',
        unit: 's',
        points: history.lags.filter((lag) => lag.node === node).map(({ atMs, lagS }) => ({ atMs, value: lagS })),
      })),
    },
    { title: 'Clones', lanes: NODES.map((node) => cloneLane(history, node)) },
  ]
}

function faultLane({ faults, endedMs }: History, place: string): Lane {
  const bars = faults
    .filter(({ action }) => placeOf(action) === place)
    .map((fault): Bar => {
      return { fromMs: fault.beganMs, toMs: fault.endedMs ?? endedMs, tone: 'fault', title: describeFault(fault) }
    })
  return { label: place, kind: 'bars', bars }
}

function pushLane({ pushes }: History, repository: string): Lane {
  const ticks = pushes
    .filter((push) => push.repository === repository)
    .map(({ pusher, updates, outcome, endedMs: atMs }): Tick => {
      const refs = updates.map(({ ref }) => ref.replace('refs/heads/', '')).join(', ')
      return { atMs, tone: PUSH_TONES[outcome], title: `${pusher}: ${refs}: ${outcome}` }
    })
  return { label: repository, kind: 'ticks', ticks }
}

function circuitLane({ circuits, endedMs }: History, node: string): Lane {
  const own = circuits.filter((change) => change.node === node && change.peer === 'home')
  const states = [{ atMs: 0, to: 'closed' }, ...own]
  const bars = states.map(({ atMs, to }, at): Bar => {
    const toMs = states[at + 1]?.atMs ?? endedMs
    return { fromMs: atMs, toMs, tone: CIRCUIT_TONES[to] ?? 'quiet', title: to.replace('_', ' ') }
  })
  return { label: node, kind: 'bars', bars }
}

function cloneLane({ clones }: History, node: string): Lane {
  const bars = clones
    .filter((clone) => clone.node === node)
    .map(({ repository, beganMs, endedMs, problem }): Bar => {
      const [tone, title] = problem === undefined ? (['good', 'whole'] as const) : (['bad', problem.text] as const)
      return { fromMs: beganMs, toMs: endedMs, tone, title: `${repository}: ${title}` }
    })
  return { label: node, kind: 'bars', bars }
}
