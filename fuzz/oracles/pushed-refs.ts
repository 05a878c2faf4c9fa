/** What refs are after a push, and whether all is there that they need. */
import assert from 'node:assert/strict'
import type { PushRequest } from '../../src/git/protocol/push-request.ts'
import { ObjectStore } from '../../src/storage/objects/object-store.ts'
import { FIXED_OBJECTS } from '../grammar/fixed-repository.ts'
import { closureOf } from './closure.ts'
import { asksForReport, type PushReport } from './push-report.ts'

/** Name → 40 hex digits. */
export type Refs = ReadonlyMap<string, string>

/**
 * @param report undefined: the client asked for none, or was told in a line of its own that nothing was taken
 * @throws AssertionError where refs are not what the client was told, or asked for
 */
export function checkRefs(before: Refs, after: Refs, request: PushRequest, report: PushReport | undefined): void {
  if (report !== undefined) return assert.deepEqual(after, refsAfter(before, request, report))
  if (asksForReport(request)) return assert.deepEqual(after, before, 'refs change, and the client is told otherwise')
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const [oldOid, newOid] = [before.get(name), after.get(name)]
    if (oldOid === newOid) continue
    const isAsked = request.commands.some((one) => one.ref === name && one.oldOid === oldOid && one.newOid === newOid)
    assert(isAsked, `${name} changes, and no command says so`)
  }
}

/** @throws AssertionError where something was done that others had made impossible meanwhile */
function refsAfter(before: Refs, { commands, capabilities }: PushRequest, { refused }: PushReport): Refs {
  const after = new Map(before)
  for (const [at, { ref, oldOid, newOid }] of commands.entries()) {
    if (refused[at] !== undefined) continue
    assert.equal(before.get(ref), oldOid, 'a ref changes that was not what the pusher took it for')
    if (newOid === undefined) after.delete(ref)
    else after.set(ref, newOid)
  }
  const done = refused.filter((reason) => reason === undefined)
  if (capabilities.has('atomic')) assert([0, refused.length].includes(done.length), 'some of an atomic push was done')
  for (const name of after.keys()) {
    for (const other of after.keys()) assert(!other.startsWith(`${name}/`), 'a ref lies in a ref')
  }
  // Sorted as the database has them.
  return new Map([...after].sort(([a], [b]) => (a < b ? -1 : 1)))
}

export function isSame(a: Refs, b: Refs): boolean {
  return a.size === b.size && Array.from(a).every(([name, oid]) => b.get(name) === oid)
}

const KNOWN = new Set(FIXED_OBJECTS.map(({ oid }) => oid))

/** @throws AssertionError where refs need what is not there. @param path of the repository */
export function checkClosure(path: string, refs: Refs): void {
  const store = ObjectStore.open(path, 2 ** 20)
  try {
    closureOf(refs.values(), (oid) => store.readObject(Buffer.from(oid, 'hex')), KNOWN)
  } finally {
    store.close()
  }
}
