/** For tests of the checkers: a good history, written as sentences, which each test then spoils in one place. */
import { emptyHistory, type History, type NodeName, type Push, type Read, type Refs } from '../history.ts'

export const REPOSITORY = 'ants'
export const MAIN = 'refs/heads/p/main'
export const LEFT = 'refs/heads/p/left'
export const RIGHT = 'refs/heads/p/right'
export const SHARED = 'refs/heads/shared'

type Changes = Readonly<Record<string, readonly [from: string | undefined, to: string | undefined]>>

export class HistoryMaker {
  readonly history: History = emptyHistory()

  push(
    changes: Changes,
    [beganMs, endedMs]: readonly [number, number],
    more: { readonly outcome?: Push['outcome']; readonly pusher?: string } = {},
  ): this {
    const updates = Object.entries(changes).map(([ref, [from, to]]) => ({ ref, from, to }))
    const line = updates[0]?.ref === SHARED ? SHARED : 'refs/heads/p'
    const { outcome = 'acknowledged', pusher = 'p' } = more
    this.history.pushes.push({ pusher, repository: REPOSITORY, line, updates, beganMs, endedMs, outcome, said: '' })
    return this
  }

  read(node: NodeName, refs: Refs, [beganMs, endedMs]: readonly [number, number]): this {
    const read: Read = { by: 'list', node, repository: REPOSITORY, beganMs, endedMs, refs }
    this.history.reads.push(read)
    return this
  }
}

/** Three pushes, one after another, and one of somebody else; the mirror follows. */
export function goodHistory(): HistoryMaker {
  const maker = new HistoryMaker()
  maker
    .push({ [MAIN]: [undefined, 'a1'] }, [0, 10])
    .push({ [MAIN]: ['a1', 'a2'], [LEFT]: [undefined, 'a2'], [RIGHT]: [undefined, 'a2'] }, [20, 30])
    .push({ [SHARED]: [undefined, 's1'] }, [40, 50], { pusher: 'q' })
    .push({ [MAIN]: ['a2', 'a3'] }, [60, 70])
    .read('home', {}, [0, 5])
    .read('home', { [MAIN]: 'a1' }, [12, 14])
    .read('home', { [MAIN]: 'a2', [LEFT]: 'a2', [RIGHT]: 'a2' }, [32, 34])
    .read('mirror-1', {}, [33, 35])
    .read('mirror-1', { [MAIN]: 'a2', [LEFT]: 'a2', [RIGHT]: 'a2' }, [52, 54])
    .read('mirror-2', { [MAIN]: 'a1' }, [52, 54])
  const last = { [MAIN]: 'a3', [LEFT]: 'a2', [RIGHT]: 'a2', [SHARED]: 's1' }
  maker.history.healedMs = 100
  for (const node of ['home', 'mirror-1', 'mirror-2'] as const) maker.read(node, last, [110, 120])
  maker.history.endedMs = 130
  return maker
}
