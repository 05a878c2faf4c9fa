/** Which part of a program the samples of a profile belong to. */

/** As the inspector gives it (Chrome DevTools Protocol, Profiler.Profile), as far as it is used here. */
export interface Profile {
  readonly nodes: readonly ProfileNode[]
  /** Ids of nodes. */
  readonly samples?: readonly number[]
  /** Microseconds before each sample. */
  readonly timeDeltas?: readonly number[]
}

interface ProfileNode {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string }
  readonly children?: readonly number[]
}

const HTTP_OF_NODE = /^node:(_http|http|net$|internal\/(streams|stream_base))/

/** The first whose pattern is in the script's address. */
const LAYERS: readonly (readonly [layer: string, pattern: RegExp])[] = [
  ['Express and helmet', /\/node_modules\/(express|router|helmet|finalhandler|parseurl|path-to-regexp|qs)\//],
  ['log line', /\/node_modules\/(pino|sonic-boom|safe-stable-stringify|quick-format-unescaped)/],
  ['log line', /\/src\/(http\/access-log|observability\/(log|redaction))/],
  ['tracing', /\/node_modules\/@opentelemetry\/|\/src\/observability\/(tracing|context)/],
  ['metrics', /\/node_modules\/prom-client\/|\/src\/observability\//],
  ['database', /\/src\/storage\/(database|observe)/],
  ['who asks and may he', /\/src\/(collaboration|storage\/(accounts|access|tokens|users))/],
  ['handing work to threads', /\/node_modules\/piscina\/|\/src\/transfer\/workers\//],
  ['files and refs', /\/src\/storage\//],
  ['git', /\/src\/(transfer|git)\//],
  ['our HTTP', /\/src\/(http|resilience|validation)\//],
  ['node:http and node:net', HTTP_OF_NODE],
]

const SOCKET_CALLS = new Set(['writev', 'writeBuffer', 'writeUtf8String', 'writeLatin1String', 'writeAsciiString'])
const OWN_NAMES: Readonly<Record<string, string>> = {
  '(garbage collector)': 'garbage collection',
  '(program)': "outside of JavaScript: Node's loop and the kernel",
}
const NOBODY = new Set(['(idle)', '(root)'])
const OTHERS = 'everything else'

/** @returns milliseconds of each layer, the largest first; what was idle is in none */
export function timeByLayer({ nodes, samples = [], timeDeltas = [] }: Profile): Map<string, number> {
  const tree = treeOf(nodes)
  const layers = new Map<number, string | undefined>()
  const times = new Map<string, number>()
  for (const [at, id] of samples.entries()) {
    if (!layers.has(id)) layers.set(id, layerOf(id, tree))
    const layer = layers.get(id)
    if (layer !== undefined) times.set(layer, (times.get(layer) ?? 0) + (timeDeltas[at] ?? 0) / 1_000)
  }
  return new Map([...times].sort(([, a], [, b]) => b - a))
}

const OWN = /\/src\//
const PACKAGES = /\/node_modules\//

/**
 * Which share of the busy time is in code of the node itself, with what of Node it calls but for HTTP and sockets: what
 * is left is what the packages, Node's HTTP and the kernel take, however good that code is.
 */
export function ownShare({ nodes, samples = [], timeDeltas = [] }: Profile): number {
  const tree = treeOf(nodes)
  let [own, busy] = [0, 0]
  for (const [at, id] of samples.entries()) {
    const leaf = tree.byId.get(id)?.callFrame.functionName ?? ''
    if (NOBODY.has(leaf)) continue
    const spent = timeDeltas[at] ?? 0
    busy += spent
    if (!Object.hasOwn(OWN_NAMES, leaf) && isOwn(id, tree)) own += spent
  }
  return busy === 0 ? 0 : own / busy
}

function isOwn(id: number, { byId, parents }: Tree): boolean {
  for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
    const url = byId.get(at)?.callFrame.url ?? ''
    if (PACKAGES.test(url) || HTTP_OF_NODE.test(url)) return false
    if (OWN.test(url)) return true
  }
  return false
}

interface Tree {
  readonly byId: ReadonlyMap<number, ProfileNode>
  readonly parents: ReadonlyMap<number, number>
}

function treeOf(nodes: readonly ProfileNode[]): Tree {
  return {
    byId: new Map(nodes.map((node) => [node.id, node])),
    parents: new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id] as const))),
  }
}

/** What has no layer of its own, such as Node's own functions, belongs to whoever called it. */
function layerOf(id: number, { byId, parents }: Tree): string | undefined {
  const leaf = byId.get(id)?.callFrame.functionName ?? ''
  if (NOBODY.has(leaf)) return undefined
  if (Object.hasOwn(OWN_NAMES, leaf)) return OWN_NAMES[leaf]
  for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
    const frame = byId.get(at)?.callFrame
    const layer = LAYERS.find(([, pattern]) => pattern.test(frame?.url ?? ''))?.[0]
    if (layer === undefined) continue
    return at !== id && SOCKET_CALLS.has(leaf) && layer.startsWith('node:') ? 'system calls of sockets' : layer
  }
  return OTHERS
}
