/** Reads what a node lists of a repository, as git's first protocol says it: everything in one answer. */
import type { NodeName, Read, Refs } from '../history.ts'

const ANSWER_MS_MAX = 5_000
const ZERO = '0'.repeat(40)

export interface Listing {
  readonly node: NodeName
  readonly repository: string
  readonly url: string
  readonly nowMs: () => number
  readonly signal: AbortSignal
}

/** @returns undefined where nobody answers, or shows no such repository */
export async function listRefs({ node, repository, url, nowMs, signal }: Listing): Promise<Read | undefined> {
  const beganMs = nowMs()
  try {
    const response = await fetch(`${url}/info/refs?service=git-upload-pack`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS_MAX)]),
    })
    const text = await response.text()
    if (response.status !== 200) return undefined
    return { node, repository, beganMs, endedMs: nowMs(), refs: parseAdvertisement(text) }
  } catch {
    return undefined
  }
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
