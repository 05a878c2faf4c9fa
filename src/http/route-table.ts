import assert from 'node:assert/strict'
import type { Method, Route } from './route.ts'

/** All routes of one path. */
export interface PathRoutes<Services> {
  /** As documents, labels and log lines show it. */
  readonly template: string
  /** As Express matches it. */
  readonly pattern: string
  readonly routes: ReadonlyMap<Method, Route<Services>>
  /** For `Allow`. */
  readonly allow: readonly string[]
}

const PATH = /^(?:\/(?:[\w.-]+|\{\w+\}(?:\.[\w.-]+)?))+(?:\/\{\w+\*\})?$/

export const templateOf = (path: string): string => path.replace('*}', '}')

/**
 * The routes of a listener, checked: a wrong declaration stops the start, not a request.
 * Paths keep the order of declaration, in which they are matched.
 */
export function createRouteTable<Services>(routes: readonly Route<Services>[]): readonly PathRoutes<Services>[] {
  const paths = new Map<string, Map<Method, Route<Services>>>()
  for (const route of routes) {
    checkRoute(route)
    const ofPath = paths.get(route.path) ?? new Map<Method, Route<Services>>()
    assert(!ofPath.has(route.method), `${route.method} ${route.path} is declared twice`)
    const [first] = ofPath.values()
    assert(first === undefined || first.kind === route.kind, `${route.path}: one path fails in one style`)
    paths.set(route.path, ofPath.set(route.method, route))
  }
  return [...paths].map(([path, ofPath]) => ({
    template: templateOf(path),
    pattern: path.replace(/\{(\w+)\*\}/, '*$1').replace(/\{(\w+)\}/g, ':$1'),
    routes: ofPath,
    allow: [...ofPath.keys()].flatMap((method) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()])),
  }))
}

function checkRoute<Services>(route: Route<Services>): void {
  const name = `${route.method} ${route.path}`
  assert(PATH.test(route.path), `${name}: not a path`)
  const names = [...route.path.matchAll(/\{(\w+)\*?\}/g)].map(([, found = '']) => found)
  const declared = Object.keys(route.params.shape)
  const missing = names.filter((found) => !declared.includes(found))
  assert(missing.length === 0, `${name}: no schema for ${missing.join(', ')}`)
  const unused = declared.filter((found) => !names.includes(found))
  assert(unused.length === 0, `${name}: the path has no ${unused.join(', ')}`)
  if (route.kind !== 'answer') return
  assert(Object.keys(route.answers).length > 0, `${name}: no schema for its answers`)
  assert(route.body === undefined || route.method !== 'get', `${name}: a GET has no body`)
}

/** Templates of these routes: the closed set of the label `path`. */
export function pathsOf(routes: readonly { readonly path: string }[]): string[] {
  return [...new Set(routes.map((route) => templateOf(route.path)))]
}
