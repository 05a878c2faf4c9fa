/** Reads what a node lists of a repository, as git's first protocol says it: everything in one answer. */
import type { FailedRead, NodeName, Read, Refs } from '../history.ts'

/** Longer than a busy machine needs. */
const ANSWER_MS_MAX = 20_000
const OVERLOAD_STATUSES = [429, 503]
const ZERO = '0'.repeat(40)

export interface Listing {
  readonly node: NodeName
  readonly repository: string
  readonly url: string
  readonly nowMs: () => number
  readonly signal: AbortSignal
}

/** @returns undefined where it was broken off */
export async function listRefs({
  node,
  repository,
  url,
  nowMs,
  signal,
}: Listing): Promise<Read | FailedRead | undefined> {
  const asked = { node, repository, beganMs: nowMs() }
  const failed = (kind: FailedRead['kind'], problem: string): FailedRead => {
    return { ...asked, endedMs: nowMs(), kind, problem }
  }
  try {
    const response = await fetch(`${url}/info/refs?service=git-upload-pack`, {
      // A connection that is kept might be closed by the node, as idle, in the moment of the next request.
      headers: { connection: 'close' },
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS_MAX)]),
    })
    const text = await response.text()
    if (OVERLOAD_STATUSES.includes(response.status)) return failed('overload', String(response.status))
    if (response.status !== 200) return failed('failed', `it answered ${response.status}`)
    const refs = parseAdvertisement(text)
    return { ...asked, by: 'list', endedMs: nowMs(), refs }
  } catch (error) {
    if (signal.aborted) return undefined
    if (error instanceof RangeError) return failed('malformed', error.message)
    return failed('failed', reasonOf(error))
  }
}

/** What fetch says of it is that it failed. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}

/** @throws RangeError: it is not a whole advertisement */
export function parseAdvertisement(text: string): Refs {
  const refs: Record<string, string> = {}
  let flushes = 0
  for (let at = 0; flushes < 2;) {
    const digits = text.slice(at, at + 4)
    if (!/^[0-9a-f]{4}$/.test(digits)) throw new RangeError(`An advertisement ends at ${at}`)
    const length = Number(`0x${digits}`)
    if (length === 0) {
      flushes++
      at += 4
      continue
    }
    const line = text.slice(at + 4, at + length)
    at += length
    const [oid = '', name = ''] = line.split('\0', 1)[0]?.trimEnd().split(' ') ?? []
    // An empty repository lists its capabilities only; HEAD and peeled tags are shown besides refs.
    if (name.startsWith('refs/') && !name.endsWith('^{}') && oid !== ZERO) refs[name] = oid
  }
  return refs
}
