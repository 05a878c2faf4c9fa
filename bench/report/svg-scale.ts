/** Where a number lies on an axis, and which numbers are written beside it. */
export interface Scale {
  readonly at: (value: number) => number
  readonly ticks: readonly { readonly at: number; readonly label: string }[]
}

const TICKS = 5
/** Of the axis's length: points do not lie on the frame. */
const INSET = 0.04

/** `whole` is linear, for numbers that count something. */
export type ScaleKind = 'linear' | 'log' | 'whole'

/**
 * @param values that must all be on the axis; for a logarithmic one above 0
 * @param range the axis's ends, in the drawing
 */
export function createScale(kind: ScaleKind, values: readonly number[], range: readonly [number, number]): Scale {
  const position = kind === 'log' ? (value: number) => Math.log10(value) : (value: number) => value
  const places = values.map(position).filter((place) => Number.isFinite(place))
  const [low, high] = places.length === 0 ? [0, 1] : [Math.min(...places), Math.max(...places)]
  // One value alone lies in the middle.
  const [from, to] = low === high ? [low - 0.5, high + 0.5] : [low, high]
  const [start, end] = range
  const inset = (end - start) * INSET
  const at = (value: number): number =>
    start + inset + ((position(value) - from) / (to - from)) * (end - start - 2 * inset)
  const shown = kind === 'log' ? decades(from, to) : steps(from, to, kind === 'whole' ? 1 : 0)
  return { at, ticks: shown.map((value) => ({ at: at(value), label: label(value) })) }
}

/** 1, 2 and 5 of each power of ten; the powers alone, where those would be many. */
function decades(from: number, to: number): number[] {
  const digits = to - from > 3 ? [1] : [1, 2, 5]
  const found: number[] = []
  for (let power = Math.floor(from); power <= Math.ceil(to); power++) {
    for (const digit of digits) found.push(digit * 10 ** power)
  }
  // Of what is calculated the last bits may differ.
  return found.filter((value) => Math.log10(value) >= from - 1e-9 && Math.log10(value) <= to + 1e-9)
}

function steps(from: number, to: number, stepMin: number): number[] {
  const rough = Math.max((to - from) / TICKS, stepMin)
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5].find((digit) => digit * power >= rough) ?? 10)
  const found: number[] = []
  for (let count = Math.ceil(from / step); count * step <= to + step * 1e-9; count++) found.push(count * step)
  return found
}

function label(value: number): string {
  if (value >= 1_000) return value.toLocaleString('en', { maximumFractionDigits: 0 })
  return String(Number(value.toPrecision(3)))
}
