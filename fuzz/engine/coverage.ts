/** What of the shipped modules ran, from V8's own count of a bundle and the bundle's source map. */
import type { Profiler } from 'node:inspector'
import { SourceMap } from 'node:module'
import { dirname, relative, resolve } from 'node:path'

export interface ModuleCoverage {
  /** Relative to the repository's root, e.g. `src/git/delta.ts`. */
  readonly module: string
  /** Numbers of lines that ran. */
  readonly linesRun: readonly number[]
  readonly lines: number
  /** Names of functions that were entered. */
  readonly functions: readonly string[]
}

const INLINE_MAP = /^\/\/# sourceMappingURL=data:application\/json;base64,(.*)$/m

interface Place {
  readonly module: string
  readonly line: number
}

/** Where each line of a bundle comes from; built once, asked for each count. */
export class BundleMap {
  readonly #text: string
  readonly #map: SourceMap
  readonly #folder: string
  readonly #root: string
  /** By line of the bundle: where its first character that is no space lies. */
  readonly #lineStarts: number[] = []
  readonly #lineOffsets: number[] = []

  constructor(path: string, text: string, root: string) {
    const encoded = INLINE_MAP.exec(text)?.[1] ?? ''
    this.#map = new SourceMap(JSON.parse(Buffer.from(encoded, 'base64').toString()) as never)
    this.#text = text
    this.#folder = dirname(path)
    this.#root = root
    let at = 0
    for (const line of text.split('\n')) {
      this.#lineStarts.push(at)
      this.#lineOffsets.push(at + line.length - line.trimStart().length)
      at += line.length + 1
    }
  }

  /** Of the shipped modules, those below `src/`. */
  coverage(functions: readonly Profiler.FunctionCoverage[]): ModuleCoverage[] {
    const found = new Map<string, { run: Set<number>; all: Set<number>; functions: Set<string> }>()
    const of = (module: string) => {
      const entry = found.get(module) ?? { run: new Set(), all: new Set(), functions: new Set() }
      found.set(module, entry)
      return entry
    }
    const counts = this.#countsByLine(functions)
    for (const [line, offset] of this.#lineOffsets.entries()) {
      const place = this.#placeOf(line, offset)
      if (place === undefined) continue
      of(place.module).all.add(place.line)
      if ((counts[line] ?? 0) > 0) of(place.module).run.add(place.line)
    }
    for (const { functionName, ranges } of functions) {
      const [whole] = ranges
      if (whole === undefined || whole.count === 0 || functionName === '') continue
      const place = this.#placeOf(this.#lineAt(whole.startOffset), whole.startOffset)
      if (place !== undefined) of(place.module).functions.add(functionName)
    }
    return Array.from(found, ([module, entry]) => ({
      module,
      linesRun: Array.from(entry.run),
      lines: entry.all.size,
      functions: Array.from(entry.functions),
    })).filter(({ module }) => module.startsWith('src/'))
  }

  /** The innermost block that a line begins in has the last word on how often it ran. */
  #countsByLine(functions: readonly Profiler.FunctionCoverage[]): number[] {
    const ranges = functions.flatMap((one) => one.ranges)
    ranges.sort((a, b) => b.endOffset - b.startOffset - (a.endOffset - a.startOffset))
    const counts: number[] = []
    for (const { startOffset, endOffset, count } of ranges) {
      for (let line = this.#lineAt(startOffset); line < this.#lineOffsets.length; line++) {
        const offset = this.#lineOffsets[line] as number
        if (offset >= endOffset) break
        if (offset >= startOffset) counts[line] = count
      }
    }
    return counts
  }

  #placeOf(line: number, offset: number): Place | undefined {
    if (offset >= this.#text.length) return undefined
    const entry = this.#map.findEntry(line, offset - (this.#lineStarts[line] as number))
    // The nearest mapping before this place; on another line it says nothing about this one.
    if (!('originalSource' in entry) || entry.generatedLine !== line) return undefined
    // A source is named by a URL: a folder "<b>" is "%3Cb%3E" there.
    const source = decodeURIComponent(entry.originalSource.replace(/^file:\/\//, ''))
    const path = resolve(this.#folder, source)
    return { module: relative(this.#root, path), line: entry.originalLine + 1 }
  }

  #lineAt(offset: number): number {
    let low = 0
    let high = this.#lineStarts.length
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      if ((this.#lineStarts[middle] as number) <= offset) low = middle
      else high = middle
    }
    return low
  }
}

export interface DrivenCoverage {
  /** Loading the bundle, and an input of no bytes. */
  readonly before: readonly ModuleCoverage[]
  /** The inputs after that. */
  readonly after: readonly ModuleCoverage[]
}

/** A private method begins with `#`; of two functions of one name the bundle numbers the second. */
function isNamed(inBundle: string, name: string): boolean {
  const own = inBundle.replace(/^#/, '')
  return own.startsWith(name) && /^[0-9]*$/.test(own.slice(name.length))
}

/** @returns for each module and function that should have been driven and was not, a sentence; empty: all were */
export function whyNotDriven(
  drives: Readonly<Record<string, readonly string[]>>,
  { before, after }: DrivenCoverage,
): string[] {
  return Object.entries(drives).flatMap(([module, functions]) => {
    const found = after.find((one) => one.module === module)
    if (found === undefined) return [`${module} never runs`]
    const early = new Set(before.find((one) => one.module === module)?.linesRun)
    const silent = functions.filter((name) => !found.functions.some((one) => isNamed(one, name)))
    const isMoved = found.linesRun.some((line) => !early.has(line))
    return [
      ...silent.map((name) => `${module}: ${name} is never entered`),
      ...(isMoved ? [] : [`${module} stands still`]),
    ]
  })
}
