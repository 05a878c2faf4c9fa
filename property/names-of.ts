import type { Selection } from '../src/git/object-graph/select.ts'
import type { ObjectStore } from '../src/storage/objects/object-store.ts'
import { ChosenObjects } from '../src/transfer/chosen-objects.ts'

/** Names of the objects that are to be sent, each as often as it is. */
export function namesOf(store: ObjectStore, selection: Selection): string[] {
  const chosen = ChosenObjects.of(store, selection)
  const names = chosen.loose.map((oid) => oid.toString('hex'))
  for (const { pack, positions } of chosen.packs) {
    positions.forEach((position) => names.push(pack.index.oidAt(pack.order.rankAt(position))))
  }
  return names
}
