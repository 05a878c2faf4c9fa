/**
 * The branches of a module, and which of them were taken. V8 counts blocks, and says only which differ from what is around
 * them: how many there are to be counted, the syntax tree tells. Left out is what V8 has no count for: values of parameters
 * that are not given, `?.` and `??=`.
 */
import type { Profiler } from 'node:inspector'
import { stripTypeScriptTypes } from 'node:module'
import { parseAst } from 'vitest/node'

export interface Branch {
  /** From 1 on. */
  readonly line: number
  /** Of this branch alone in its module, also when lines move: what it is a branch of, and its line without spaces around. */
  readonly name: string
}

interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

interface Place {
  readonly kind: string
  /** A place that is run as often as the branch is taken. */
  readonly at: number
  /** Of an `else` that is not written: so often as this is run and `at` is not. */
  readonly of?: number
}

export class ModuleBranches {
  readonly branches: readonly Branch[]
  readonly #places: readonly Place[]
  readonly #length: number

  /** @param source in TypeScript, as it is loaded: Node blanks its types, so that every place stays where it is */
  constructor(source: string) {
    const code = stripTypeScriptTypes(source)
    this.#length = code.length
    this.#places = placesOf(parseAst(code) as unknown as Node)
    const times = new Map<string, number>()
    this.branches = this.#places.map(({ kind, at }) => {
      const line = source.slice(0, at).split('\n').length
      const text = `${kind} in: ${source.split('\n')[line - 1]?.trim() ?? ''}`
      const time = (times.get(text) ?? 0) + 1
      times.set(text, time)
      return { line, name: time === 1 ? text : `${text} (${time})` }
    })
  }

  /** @returns numbers of branches */
  taken(functions: readonly Profiler.FunctionCoverage[]): number[] {
    const counts = countsOf(this.#length, functions)
    const countAt = (offset: number): number => counts[offset] ?? 0
    return this.#places.flatMap(({ at, of }, number) => {
      const count = of === undefined ? countAt(at) : countAt(of) - countAt(at)
      return count > 0 ? [number] : []
    })
  }
}

/** The innermost block around a place has the last word on how often it ran. */
function countsOf(length: number, functions: readonly Profiler.FunctionCoverage[]): Uint32Array {
  const counts = new Uint32Array(length)
  const ranges = functions.flatMap((one) => one.ranges)
  ranges.sort((a, b) => b.endOffset - b.startOffset - (a.endOffset - a.startOffset))
  for (const { startOffset, endOffset, count } of ranges) counts.fill(count, startOffset, endOffset)
  return counts
}

/** In the order in which they stand there. */
function placesOf(root: Node): Place[] {
  const places: Place[] = []
  const stack: Node[] = [root]
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    places.push(...placesIn(node))
    for (const value of Object.values(node)) {
      for (const child of Array.isArray(value) ? (value as unknown[]) : [value]) if (isNode(child)) stack.push(child)
    }
  }
  return places.sort((a, b) => a.at - b.at)
}

function placesIn(node: Node): Place[] {
  const part = (key: string): Node => node[key] as Node
  switch (node.type) {
    case 'IfStatement': {
      const then = inside(part('consequent'))
      const other = node['alternate'] as Node | null
      const not = other === null ? { kind: 'else', at: then, of: node.start } : { kind: 'else', at: inside(other) }
      return [{ kind: 'if', at: then }, not]
    }
    case 'ConditionalExpression':
      return [
        { kind: '?', at: part('consequent').start },
        { kind: ':', at: part('alternate').start },
      ]
    // Where it begins, it always runs.
    case 'LogicalExpression':
      return [{ kind: node['operator'] as string, at: part('right').start }]
    case 'SwitchCase':
      return [{ kind: 'case', at: node.start }]
    default:
      return []
  }
}

/** The braces of a block belong to what is around it. */
function inside({ type, start }: Node): number {
  return type === 'BlockStatement' ? start + 1 : start
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
}
