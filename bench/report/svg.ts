/** Panels as one SVG, without a library: a frame, ticks, lines, and a legend below. */
import { createScale } from './svg-scale.ts'
import type { Panel, Series } from './panels.ts'

const COLUMNS = 2
const PANEL_WIDTH = 560
const PLOT = { left: 70, top: 34, width: 460, height: 190 }
const BELOW_PLOT = 48
const LEGEND_LINE = 15
const COLOURS = ['#0b6e99', '#c0392b', '#2e7d32', '#8e44ad', '#b9770e', '#34495e', '#00838f', '#ad1457'] as const
const DASHES = ['', '6 3', '2 3'] as const

/** @returns a whole document */
export function drawPanels(panels: readonly Panel[]): string {
  const rows: Panel[][] = []
  for (let at = 0; at < panels.length; at += COLUMNS) rows.push(panels.slice(at, at + COLUMNS))
  const drawn: string[] = []
  let top = 0
  for (const row of rows) {
    for (const [column, panel] of row.entries()) {
      drawn.push(`<g transform="translate(${column * PANEL_WIDTH} ${top})">${drawPanel(panel)}</g>`)
    }
    top += Math.max(...row.map(heightOf))
  }
  const [width, height] = [COLUMNS * PANEL_WIDTH, Math.max(top, 1)]
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`,
    ' font-family="sans-serif" font-size="11" fill="#222">',
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...drawn,
    '</svg>\n',
  ].join('\n')
}

function heightOf({ series }: Panel): number {
  return PLOT.top + PLOT.height + BELOW_PLOT + legendOf(series).length * LEGEND_LINE + 16
}

function drawPanel(panel: Panel): string {
  const { series, mark } = panel
  const [xs, ys] = [0, 1].map((at) => series.flatMap(({ points }) => points.map((point) => point[at as 0 | 1])))
  const x = createScale(panel.scale.x, xs ?? [], [PLOT.left, PLOT.left + PLOT.width])
  const heights = [...(ys ?? []), ...(mark === undefined ? [] : [mark]), ...(panel.scale.y === 'linear' ? [0] : [])]
  const y = createScale(panel.scale.y, heights, [PLOT.top + PLOT.height, PLOT.top])
  const [right, bottom] = [PLOT.left + PLOT.width, PLOT.top + PLOT.height]
  return [
    text(PLOT.left, 20, panel.title, 'font-weight="bold" font-size="13"'),
    `<rect x="${PLOT.left}" y="${PLOT.top}" width="${PLOT.width}" height="${PLOT.height}" fill="none" stroke="#888"/>`,
    ...x.ticks.map(
      ({ at, label }) =>
        line(at, bottom, at, bottom + 4, '#888') + text(at, bottom + 16, label, 'text-anchor="middle"'),
    ),
    ...y.ticks.map(
      ({ at, label }) => line(PLOT.left, at, right, at, '#e4e4e4') + text(PLOT.left - 6, at + 4, label, END),
    ),
    ...(mark === undefined ? [] : [line(PLOT.left, y.at(mark), right, y.at(mark), '#c0392b', '4 3')]),
    text(PLOT.left + PLOT.width / 2, bottom + 34, panel.xLabel, 'text-anchor="middle"'),
    text(
      0,
      0,
      panel.yLabel,
      `text-anchor="middle" transform="translate(16 ${PLOT.top + PLOT.height / 2}) rotate(-90)"`,
    ),
    ...series.map(({ points }, at) =>
      drawSeries(
        points.map(([px, py]) => [x.at(px), y.at(py)]),
        at,
      ),
    ),
    ...legendOf(series).map((name, at) => {
      const height = bottom + BELOW_PLOT + at * LEGEND_LINE
      const { colour, dash } = styleOf(at)
      return line(PLOT.left, height, PLOT.left + 22, height, colour, dash) + text(PLOT.left + 28, height + 4, name)
    }),
  ].join('\n')
}

const END = 'text-anchor="end"'

function drawSeries(points: readonly (readonly [number, number])[], at: number): string {
  const { colour, dash } = styleOf(at)
  const places = points.map(([x, y]) => `${round(x)},${round(y)}`)
  const dots = points.map(([x, y]) => `<circle cx="${round(x)}" cy="${round(y)}" r="2.5" fill="${colour}"/>`)
  const path = `<polyline points="${places.join(' ')}" fill="none" stroke="${colour}" stroke-dasharray="${dash}"/>`
  return path + dots.join('')
}

function styleOf(at: number): { colour: string; dash: string } {
  const colour = COLOURS[at % COLOURS.length] as string
  return { colour, dash: DASHES[Math.floor(at / COLOURS.length) % DASHES.length] as string }
}

/** One line alone needs no name. */
function legendOf(series: readonly Series[]): string[] {
  return series.map(({ name }) => name).filter((name) => name !== '')
}

function line(x1: number, y1: number, x2: number, y2: number, colour: string, dash = ''): string {
  const ends = `x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"`
  return `<line ${ends} stroke="${colour}" stroke-dasharray="${dash}"/>`
}

function text(x: number, y: number, content: string, more = ''): string {
  return `<text x="${round(x)}" y="${round(y)}" ${more}>${escape(content)}</text>`
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function round(number: number): string {
  return String(Math.round(number * 10) / 10)
}
