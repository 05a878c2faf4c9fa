import { ProtocolError } from '../git/protocol/error.ts'
import type { RefSnapshot } from '../storage/repositories/ref-store.ts'
import { oidNamed } from './short-names.ts'
import type { SparseSource } from './workers/tasks.ts'

const OID = /^[0-9a-f]{40}$/

/**
 * Where the patterns of a `sparse:oid` filter lie: `OID`, `REF`, or either with `:PATH` (gitrevisions).
 *
 * @throws ProtocolError filter_refused
 */
export function sparseSourceOf(spec: string, refs: Pick<RefSnapshot, 'byName' | 'head'>): SparseSource {
  const colon = spec.indexOf(':')
  const name = colon < 0 ? spec : spec.slice(0, colon)
  const oid = OID.test(name) ? name : oidNamed(name, refs)
  // The name is not said back: it may hold anything (I9).
  if (oid === undefined) throw new ProtocolError({ code: 'filter_refused' }, 'unable to access sparse blob')
  return { oid, path: colon < 0 ? '' : spec.slice(colon + 1) }
}
