import type { ObjectFilter } from '../../src/git/object-graph/filter.ts'
import { typeNameOf } from '../../src/git/object/type.ts'
import type { HistoryRequest } from '../../src/git/protocol/history-arguments.ts'

/** The lines by which a client says how much of history it wants: read again, they mean the same. */
export function linesOfHistory({ shallows, deepen, filter }: HistoryRequest): string[] {
  const { depth, sinceS, not = [] } = deepen ?? {}
  const spec = specOf(filter)
  return [
    ...shallows.map((oid) => `shallow ${oid}`),
    ...(depth === undefined ? [] : [`deepen ${depth}`]),
    ...(sinceS === undefined ? [] : [`deepen-since ${sinceS}`]),
    ...not.map((name) => `deepen-not ${name}`),
    ...(spec === '' ? [] : [`filter ${spec}`]),
  ]
}

function specOf({ blobBytes, treeDepth, type, sparse }: ObjectFilter): string {
  // What nothing can be is asked for by two types at once.
  const types = type === undefined ? [] : type === 0 ? ['blob', 'tree'] : [typeNameOf(type)]
  const specs = [
    ...(blobBytes === undefined ? [] : [`blob:limit=${blobBytes}`]),
    ...(treeDepth === undefined ? [] : [`tree:${treeDepth}`]),
    ...types.map((name) => `object:type=${name}`),
    // They are read from the last to the first.
    ...sparse.map((name) => encodeURIComponent(`sparse:oid=${name}`)).toReversed(),
  ]
  return specs.length > 1 || sparse.length > 0 ? `combine:${specs.join('+')}` : specs.join('')
}
