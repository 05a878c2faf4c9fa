/** Draws lanes as one SVG with a common axis of time. */
import { escape, inSeconds } from './html.ts'
import type { Lane, LaneGroup } from './lanes.ts'

const WIDTH = 1_160
const LABEL_WIDTH = 150
const RIGHT = 12
const LANE_HEIGHT = 20
const AREA_HEIGHT = 44
const GAP = 4
const TITLE_HEIGHT = 26
const AXIS_HEIGHT = 24
/** So that what takes no time can be seen and pointed at. */
const BAR_WIDTH_MIN = 3
const AXIS_STEPS_S = [1, 2, 5, 10, 20, 30, 60, 120, 300]
const AXIS_LABELS_MAX = 14

export interface Marker {
  readonly atMs: number
  readonly label: string
  readonly tone: 'healed' | 'finding'
}

export function chart(groups: readonly LaneGroup[], markers: readonly Marker[], endedMs: number): string {
  const spanMs = Math.max(1_000, endedMs)
  const x = (ms: number): number => {
    const share = Math.min(1, Math.max(0, ms / spanMs))
    return rounded(LABEL_WIDTH + share * (WIDTH - LABEL_WIDTH - RIGHT))
  }
  const rows: string[] = []
  let y = AXIS_HEIGHT
  for (const { title, lanes } of groups) {
    rows.push(`<text class="group" x="0" y="${y + TITLE_HEIGHT - 8}">${escape(title)}</text>`)
    y += TITLE_HEIGHT
    for (const lane of lanes) {
      const height = lane.kind === 'area' ? AREA_HEIGHT : LANE_HEIGHT
      rows.push(
        `<text class="label" x="${LABEL_WIDTH - 8}" y="${y + height / 2 + 4}" text-anchor="end">${escape(lane.label)}</text>`,
        `<rect class="lane" x="${LABEL_WIDTH}" y="${y}" width="${WIDTH - LABEL_WIDTH - RIGHT}" height="${height}"/>`,
        drawLane(lane, { x, y, height }),
      )
      y += height + GAP
    }
  }
  const axis = axisOf(spanMs, x, y)
  const lines = markers.map(({ atMs, label, tone }) => {
    const at = x(atMs)
    return `<g class="marker ${tone}"><line x1="${at}" y1="${AXIS_HEIGHT}" x2="${at}" y2="${y}"/><title>${escape(label)}</title></g>`
  })
  return [
    `<svg viewBox="0 0 ${WIDTH} ${y + 4}" role="img" aria-label="Timeline of the run; the table below tells the same in words">`,
    ...axis,
    ...rows,
    ...lines,
    '</svg>',
  ].join('\n')
}

interface Place {
  readonly x: (ms: number) => number
  readonly y: number
  readonly height: number
}

function drawLane(lane: Lane, { x, y, height }: Place): string {
  switch (lane.kind) {
    case 'bars':
      return lane.bars
        .map(({ fromMs, toMs, tone, title }) => {
          const width = Math.max(BAR_WIDTH_MIN, rounded(x(toMs) - x(fromMs)))
          const told = `${title} (${inSeconds(fromMs)}–${inSeconds(toMs)} s)`
          return `<rect class="${tone}" x="${x(fromMs)}" y="${y + 2}" width="${width}" height="${height - 4}"><title>${escape(told)}</title></rect>`
        })
        .join('')
    case 'ticks':
      return lane.ticks
        .map(({ atMs, tone, title }) => {
          const told = `${inSeconds(atMs)} s  ${title}`
          return `<rect class="${tone}" x="${x(atMs) - 1}" y="${y + 3}" width="2" height="${height - 6}"><title>${escape(told)}</title></rect>`
        })
        .join('')
    case 'area': {
      const highest = Math.max(1, ...lane.points.map(({ value }) => value))
      const level = (value: number): number => rounded(y + height - (value / highest) * (height - 6))
      const [first] = lane.points
      if (first === undefined) return ''
      const steps = lane.points.map(({ atMs, value }, at) => {
        return `${at === 0 ? '' : `H${x(atMs)}`}V${level(value)}`
      })
      const path = `M${x(first.atMs)} ${y + height}${steps.join('')}V${y + height}Z`
      const text = `most: ${Math.round(highest * 10) / 10} ${lane.unit}`
      return `<path class="area" d="${path}"/><text class="most" x="${x(0) + 6}" y="${y + 13}">${escape(text)}</text>`
    }
  }
}

function axisOf(spanMs: number, x: (ms: number) => number, bottom: number): string[] {
  const stepS = AXIS_STEPS_S.find((step) => spanMs / 1_000 / step <= AXIS_LABELS_MAX) ?? 600
  const count = Math.floor(spanMs / 1_000 / stepS) + 1
  return Array.from({ length: count }, (_, at) => {
    const at_s = at * stepS
    const at_x = x(at_s * 1_000)
    return (
      `<line class="grid" x1="${at_x}" y1="${AXIS_HEIGHT}" x2="${at_x}" y2="${bottom}"/>` +
      `<text class="axis" x="${at_x}" y="${AXIS_HEIGHT - 8}" text-anchor="middle">${at_s} s</text>`
    )
  })
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10
}
