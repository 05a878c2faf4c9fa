import { describe, expect, it } from 'vitest'
import type { PushCommand } from '../git/protocol/push-request.ts'
import type { Ref, RefSnapshot } from '../storage/repositories/ref-store.ts'
import { headAfter, judgeCommands } from './ref-rules.ts'
import type { Tip } from './workers/tasks.ts'

const [A, B, TAG, BLOB, MISSING] = ['a1', 'b2', 'c3', 'd4', 'e5'].map((byte) => byte.repeat(20)) as [
  string,
  string,
  string,
  string,
  string,
]
const TIPS = new Map<string, Tip>([
  [A, { oid: A, type: 1, peeled: null }],
  [B, { oid: B, type: 1, peeled: null }],
  [TAG, { oid: TAG, type: 4, peeled: A }],
  [BLOB, { oid: BLOB, type: 3, peeled: null }],
  [MISSING, { oid: MISSING, type: undefined, peeled: null }],
])

function snapshotOf(names: readonly string[], more: Partial<RefSnapshot> = {}): RefSnapshot {
  const refs: Ref[] = names.map((name) => ({ name, oid: A, peeled: null }))
  refs.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
  const byName = new Map(refs.map((ref) => [ref.name, ref]))
  return { sequence: 1, head: 'refs/heads/main', headUnborn: false, refs, byName, ...more }
}

type Change = readonly [ref: string, oldOid: string | undefined, newOid: string | undefined]
const judge = (existing: readonly string[], ...changes: readonly Change[]): string[] => {
  const commands: PushCommand[] = changes.map(([ref, oldOid, newOid]) => ({ ref, oldOid, newOid }))
  return judgeCommands(commands, snapshotOf(existing), TIPS).map((one) => {
    if ('refused' in one) return one.refused
    return 'update' in one ? 'ok' : 'absent'
  })
}
const none = undefined

describe('a command', () => {
  const main = ['refs/heads/main', 'refs/heads/other']
  it.each<{ name: string; change: Change; verdict: string }>([
    { name: 'creates', change: ['refs/heads/new', none, A], verdict: 'ok' },
    { name: 'changes', change: ['refs/heads/main', A, B], verdict: 'ok' },
    { name: 'deletes', change: ['refs/heads/other', A, none], verdict: 'ok' },
    { name: 'tags anything', change: ['refs/tags/blob', none, BLOB], verdict: 'ok' },
    { name: 'creates what is there', change: ['refs/heads/main', none, B], verdict: 'reference already exists' },
    {
      name: 'changes what has another value',
      change: ['refs/heads/main', B, A],
      verdict: 'reference changed meanwhile; fetch first',
    },
    { name: 'changes what is gone', change: ['refs/heads/gone', A, B], verdict: 'reference does not exist any more' },
    { name: 'deletes what was never there', change: ['refs/heads/none', none, none], verdict: 'absent' },
    {
      name: 'deletes unseen what is there',
      change: ['refs/heads/other', none, none],
      verdict: 'reference changed meanwhile; fetch first',
    },
    {
      name: 'deletes the branch of HEAD',
      change: ['refs/heads/main', A, none],
      verdict: 'deletion of the current branch prohibited',
    },
    {
      name: 'points to what is nowhere',
      change: ['refs/heads/new', none, MISSING],
      verdict: 'bad pack: the object is missing',
    },
    {
      name: 'points to what nobody looked at',
      change: ['refs/heads/new', none, 'ff'.repeat(20)],
      verdict: 'bad pack: the object is missing',
    },
    {
      name: 'makes a branch of a tag',
      change: ['refs/heads/new', none, TAG],
      verdict: 'a branch can only point to a commit',
    },
    {
      name: 'makes a branch of a blob',
      change: ['refs/heads/new', none, BLOB],
      verdict: 'a branch can only point to a commit',
    },
  ])('that $name: $verdict', ({ change, verdict }) => {
    expect(judge(main, change)).toEqual([verdict])
  })

  it('that has a name C git would not take is refused with a reason', () => {
    for (const name of ['HEAD', 'refs/heads/a..b', 'heads/a', 'refs/heads/', 'refs/heads/a.lock']) {
      expect(judge([], [name, none, A])).not.toEqual(['ok'])
    }
  })

  it('carries what its tag finally points to', () => {
    const [verdict] = judgeCommands([{ ref: 'refs/tags/v1', oldOid: none, newOid: TAG }], snapshotOf([]), TIPS)
    expect(verdict).toMatchObject({ update: { name: 'refs/tags/v1', newOid: TAG, peeled: A } })
  })
})

describe("names that stand in each other's way", () => {
  const taken = (other: string, name: string): string =>
    `'refs/heads/${other}' exists; cannot create 'refs/heads/${name}'`
  const heads = (...names: string[]): string[] => names.map((name) => `refs/heads/${name}`)
  const add = (name: string): Change => [`refs/heads/${name}`, none, A]
  const remove = (name: string): Change => [`refs/heads/${name}`, A, none]
  it.each<{ name: string; existing: string[]; changes: Change[]; verdicts: string[] }>([
    { name: 'below a ref', existing: heads('a'), changes: [add('a/b/c')], verdicts: [taken('a', 'a/b/c')] },
    {
      name: 'where a ref has its folder',
      existing: heads('a/b/c'),
      changes: [add('a')],
      verdicts: [taken('a/b/c', 'a')],
    },
    {
      name: 'beside',
      existing: heads('a/b', 'a-b', 'ab'),
      changes: [add('a/c'), add('a.b'), add('aa')],
      verdicts: ['ok', 'ok', 'ok'],
    },
    { name: 'within one push', existing: [], changes: [add('a'), add('a/b')], verdicts: ['ok', taken('a', 'a/b')] },
    {
      name: 'within one push, turned',
      existing: [],
      changes: [add('a/b'), add('a')],
      verdicts: ['ok', taken('a/b', 'a')],
    },
    {
      name: 'in the place of what goes',
      existing: heads('a'),
      changes: [add('a/b'), remove('a')],
      verdicts: ['ok', 'ok'],
    },
    {
      name: 'in the place of a folder that goes',
      existing: heads('a/b', 'a/c'),
      changes: [remove('a/b'), remove('a/c'), add('a')],
      verdicts: ['ok', 'ok', 'ok'],
    },
    {
      name: 'in the place of a folder that goes in part',
      existing: heads('a/b', 'a/c'),
      changes: [remove('a/b'), add('a')],
      verdicts: ['ok', taken('a/c', 'a')],
    },
    {
      name: 'in the place of what may not go',
      existing: heads('main'),
      changes: [remove('main'), add('main/x')],
      verdicts: ['deletion of the current branch prohibited', taken('main', 'main/x')],
    },
    { name: 'twice', existing: [], changes: [add('a'), add('a')], verdicts: ['ok', 'multiple updates for one ref'] },
  ])('$name', ({ existing, changes, verdicts }) => {
    expect(judge(existing, ...changes)).toEqual(verdicts)
  })
})

it('looks up few names, however many folders those lie in that are pushed', () => {
  let lookUps = 0
  const byName = new Map<string, Ref>()
  byName.has = () => {
    lookUps++
    return false
  }
  const deep = (at: number): PushCommand => ({ ref: `refs/heads/${at}/${'a/'.repeat(490)}x`, oldOid: none, newOid: A })
  const commands = Array.from({ length: 200 }, (_, at) => deep(at))
  const snapshot = snapshotOf(['refs/heads/0-', 'refs/heads/1/b'], { byName })
  expect(judgeCommands(commands, snapshot, TIPS).filter((one) => 'update' in one)).toHaveLength(200)
  expect(lookUps).toBeLessThanOrEqual(200)
})

describe('HEAD after a push', () => {
  const created = (...names: string[]) => names.map((name) => ({ name, oldOid: none, newOid: A, peeled: null }))
  const unborn = snapshotOf([], { headUnborn: true })
  it.each([
    {
      name: 'the configured branch',
      names: ['refs/heads/main', 'refs/heads/trunk'],
      preferred: 'trunk',
      head: 'refs/heads/trunk',
    },
    {
      name: 'main',
      names: ['refs/heads/a', 'refs/heads/master', 'refs/heads/main'],
      preferred: 'trunk',
      head: 'refs/heads/main',
    },
    { name: 'master', names: ['refs/heads/a', 'refs/heads/master'], preferred: undefined, head: 'refs/heads/master' },
    {
      name: 'the first branch',
      names: ['refs/tags/v1', 'refs/heads/b', 'refs/heads/a'],
      preferred: undefined,
      head: 'refs/heads/b',
    },
    { name: 'no tag', names: ['refs/tags/v1'], preferred: undefined, head: undefined },
  ])('is $name', ({ names, preferred, head }) => {
    expect(headAfter(unborn, created(...names), preferred)).toBe(head)
  })

  it('stays where somebody chose it, and is nothing that was deleted', () => {
    expect(headAfter(snapshotOf([]), created('refs/heads/main'), 'main')).toBeUndefined()
    const deleted = [{ name: 'refs/heads/main', oldOid: A, newOid: none, peeled: null }]
    expect(headAfter(unborn, deleted, 'main')).toBeUndefined()
  })
})
