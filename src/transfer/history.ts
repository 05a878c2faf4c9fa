/** Where a fetch's history begins and ends, when the client has, or wants, only a part of it (gitshallow). */
import type { RefSnapshot } from '../storage/repositories/ref-store.ts'
import { ProtocolError } from '../git/protocol/error.ts'
import { assertOneWay, type DeepenRequest } from '../git/protocol/history-arguments.ts'
import { encodeShallowInfo } from '../git/protocol/negotiation.ts'
import type { UploadRequest } from '../git/protocol/upload-request.ts'
import { oidNamed } from './short-names.ts'
import type { DeepenResult, DeepenTask } from './workers/tasks.ts'

export interface History {
  /** To be sent before the pack; undefined: the client did not ask. */
  readonly info: Buffer | undefined
  /** Beside those that the client names: what follows where its history ended until now. */
  readonly wants: readonly string[]
  readonly haves: readonly string[]
  /** Where its history ends: as it is now, and as it will be. */
  readonly shallow: readonly string[]
}

/**
 * @param shallows those of the request that are here
 * @throws ProtocolError history_refused
 */
export async function historyOf(
  { wants, deepen }: Pick<UploadRequest, 'wants' | 'deepen'>,
  shallows: readonly string[],
  refs: Pick<RefSnapshot, 'byName' | 'head'>,
  find: (task: Omit<DeepenTask, 'repositoryPath'>) => Promise<DeepenResult>,
): Promise<History> {
  if (deepen === undefined) return { info: undefined, wants: [], haves: [], shallow: shallows }
  assertOneWay(deepen)
  const boundary = await find({ wants, shallows, deepen: { ...deepen, not: resolveAll(deepen, refs) } })
  if (boundary === undefined) {
    throw new ProtocolError({ code: 'history_refused' }, 'no commits selected for shallow requests')
  }
  const { shallow, unshallow, parents } = boundary
  return {
    info: encodeShallowInfo(shallow, unshallow),
    wants: parents,
    haves: unshallow,
    shallow: [...shallows, ...shallow],
  }
}

function resolveAll({ not }: DeepenRequest, refs: Pick<RefSnapshot, 'byName' | 'head'>): string[] {
  return not.map((name) => {
    const oid = oidNamed(name, refs)
    // The name is not said back: it may hold anything (I9).
    if (oid === undefined) {
      throw new ProtocolError({ code: 'history_refused' }, 'ambiguous deepen-not: it has to name one ref')
    }
    return oid
  })
}
