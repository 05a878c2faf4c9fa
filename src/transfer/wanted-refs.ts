import { ProtocolError } from '../git/protocol/error.ts'
import { isRefName } from '../git/ref-name.ts'
import type { RefSnapshot } from '../storage/repositories/ref-store.ts'

/**
 * What refs point to at this moment that a client wants by their names (gitprotocol-v2, "want-ref").
 *
 * @throws ProtocolError unknown_ref
 */
export function wantedRefs(
  names: readonly string[],
  { byName, head }: Pick<RefSnapshot, 'byName' | 'head'>,
): { readonly name: string; readonly oid: string }[] {
  return names.map((name) => {
    const ref = byName.get(name === 'HEAD' ? head : name)
    if (ref !== undefined) return { name, oid: ref.oid }
    // What is no name is not said back: it may hold anything (I9).
    throw new ProtocolError({ code: 'unknown_ref' }, isRefName(name) ? `unknown ref ${name}` : 'unknown ref')
  })
}
