import { expect, it } from 'vitest'
import type { Tree } from './disk-model.ts'
import { type CrashState, crashStates } from './enumerate.ts'
import { contentsAfterCrash } from './torn-file.ts'
import type { Step } from './trace.ts'

const SEED = 7
const BEGUN: readonly Step[] = [
  { kind: 'committed', commit: 0, database: 'before' },
  { kind: 'asked', operation: 0 },
]

const create = (path: string, file = 1): Step => ({ kind: 'create', path, file })
const write = (text: string, position = 0, file = 1): Step => ({
  kind: 'write',
  file,
  position,
  bytes: Buffer.from(text),
})
const folder = (path: string): Step => ({ kind: 'make folder', path })
const rename = (from: string, to: string): Step => ({ kind: 'rename', from, to })
const synced = (sync = 1): Step => ({ kind: 'synced', sync, path: '' })
const syncFile = (sync = 1): Step[] => [{ kind: 'sync begun', sync, file: 1 }, synced(sync)]
const syncFolder = (path: string, sync = 2): Step[] => [{ kind: 'folder sync begun', sync, path }, synced(sync)]
const emptyFolders = (...names: string[]): Tree => new Map(names.map((name) => [name, new Map()]))
/** A file with its name, all durable. */
const there = (path: string, text: string): Step[] => [create(path), write(text), ...syncFile(), ...syncFolder('a')]

function statesAtEnd(steps: readonly Step[], statesPerPointMax = 1_000, seed = SEED): CrashState[] {
  const all = [...BEGUN, ...steps]
  const states = [...crashStates(all, { initial: emptyFolders('a', 'b'), statesPerPointMax, seed })]
  return states.filter(({ point }) => point === all.length)
}

/** `a:` and `b:`, then what lies in each, e.g. `a: x=text folder/y=`. */
function textOf(tree: Tree): string {
  const filesIn = (within: Tree, before: string): string[] =>
    Array.from(within, ([name, node]) => {
      if (Buffer.isBuffer(node)) return [`${before}${name}=${node.toString().replaceAll('\0', '0')}`]
      return node.size === 0 ? [`${before}${name}/`] : filesIn(node, `${before}${name}/`)
    }).flat()
  return Array.from(tree, ([name, node]) =>
    `${name}: ${filesIn(node as Tree, '')
      .sort()
      .join(' ')}`.trimEnd(),
  ).join(' ')
}

const possible = (steps: readonly Step[]): string[] =>
  [...new Set(statesAtEnd(steps).map(({ tree }) => textOf(tree)))].sort()

it.each<{ name: string; steps: Step[]; trees: string[] }>([
  { name: 'a name that was not synced is there or not', steps: [create('a/x')], trees: ['a: b:', 'a: x= b:'] },
  {
    name: 'contents are kept, lost or zero, whether the name is there or not',
    steps: [create('a/x'), write('new')],
    trees: ['a: b:', 'a: x= b:', 'a: x=000 b:', 'a: x=new b:'],
  },
  {
    name: 'contents that were synced come with the name, which may be lost',
    steps: [create('a/x'), write('new'), ...syncFile()],
    trees: ['a: b:', 'a: x=new b:'],
  },
  {
    name: 'a name that was synced says nothing about the contents',
    steps: [create('a/x'), write('new'), ...syncFolder('a')],
    trees: ['a: x= b:', 'a: x=000 b:', 'a: x=new b:'],
  },
  { name: 'what was all synced is there', steps: there('a/x', 'new'), trees: ['a: x=new b:'] },
  {
    name: 'what is written over durable contents leaves old or new ones, never zeros',
    steps: [...there('a/x', 'old'), write('N')],
    trees: ['a: x=Nld b:', 'a: x=old b:'],
  },
  {
    name: 'what is written while a sync is under way is not synced by it',
    steps: [
      create('a/x'),
      ...syncFolder('a'),
      write('1'),
      { kind: 'sync begun', sync: 3, file: 1 },
      write('2', 1),
      synced(3),
    ],
    trees: ['a: x=1 b:', 'a: x=10 b:', 'a: x=12 b:'],
  },
  {
    name: 'what is made while a folder is being synced is not synced by it',
    steps: [create('a/x'), { kind: 'folder sync begun', sync: 3, path: 'a' }, create('a/y', 2), synced(3)],
    trees: ['a: x= b:', 'a: x= y= b:'],
  },
  {
    name: 'a rename within a folder happens or does not',
    steps: [...there('a/x', 'new'), rename('a/x', 'a/y')],
    trees: ['a: x=new b:', 'a: y=new b:'],
  },
  {
    name: 'a rename between two folders may be half durable',
    steps: [...there('a/x', 'new'), rename('a/x', 'b/y')],
    trees: ['a: b:', 'a: b: y=new', 'a: x=new b:', 'a: x=new b: y=new'],
  },
  {
    name: 'of a rename between two folders that is durable which is in the synced one',
    steps: [...there('a/x', 'new'), rename('a/x', 'b/y'), ...syncFolder('b', 3)],
    trees: ['a: b: y=new', 'a: x=new b: y=new'],
  },
  {
    name: 'later changes may be there without earlier ones',
    steps: [create('a/x'), create('a/y', 2)],
    trees: ['a: b:', 'a: x= b:', 'a: x= y= b:', 'a: y= b:'],
  },
  {
    name: 'a folder that was synced is lost with its own name',
    steps: [folder('a/f'), create('a/f/x'), ...syncFolder('a/f')],
    trees: ['a: b:', 'a: f/x= b:'],
  },
  {
    name: 'a folder whose name was synced may have lost what is in it',
    steps: [folder('a/f'), create('a/f/x'), ...syncFolder('a')],
    trees: ['a: f/ b:', 'a: f/x= b:'],
  },
  {
    name: 'a second name goes its own way',
    steps: [...there('a/x', 'new'), { kind: 'link', from: 'a/x', to: 'b/x' }, { kind: 'unlink', path: 'a/x' }],
    trees: ['a: b:', 'a: b: x=new', 'a: x=new b:', 'a: x=new b: x=new'],
  },
  {
    name: 'of a tree that is removed any part may be left',
    steps: [
      folder('a/f'),
      create('a/f/x'),
      create('a/f/y', 2),
      ...syncFolder('a/f', 1),
      ...syncFolder('a'),
      { kind: 'remove tree', path: 'a/f' },
    ],
    trees: ['a: b:', 'a: f/ b:', 'a: f/x= b:', 'a: f/x= f/y= b:', 'a: f/y= b:'],
  },
])('$name', ({ steps, trees }) => {
  expect(possible(steps)).toEqual(trees)
})

it('while a commit is under way the database is the one before or the one after, else the last one', () => {
  const begun: Step = { kind: 'commit begun', commit: 1 }
  const committed: Step = { kind: 'committed', commit: 1, database: 'after' }
  const steps = [...BEGUN, folder('a/f'), ...syncFolder('a'), begun, committed]
  const states = [...crashStates(steps, { initial: emptyFolders('a'), statesPerPointMax: 10, seed: SEED })]
  const at = (step: Step): string[] =>
    states.filter(({ point }) => point === steps.indexOf(step) + 1).map(({ database }) => database)
  expect([at(steps[4] as Step), at(begun), at(committed)]).toEqual([['before'], ['before', 'after'], ['after']])
})

it('tells what was acknowledged, and does not take it for the same state as before', () => {
  const steps = [...BEGUN, folder('a/f'), ...syncFolder('a')]
  const states = [
    ...crashStates([...steps, { kind: 'acknowledged', operation: 0 }], {
      initial: emptyFolders('a'),
      statesPerPointMax: 10,
      seed: SEED,
    }),
  ].slice(-2)
  expect(states.map(({ acknowledged, tree }) => [acknowledged, textOf(tree)])).toEqual([
    [false, 'a: f/'],
    [true, 'a: f/'],
  ])
  expect(new Set(states.map(({ key }) => key)).size).toBe(2)
})

it('draws where there are too many, the same ones for the same seed, all kept and all lost among them', () => {
  const steps = Array.from({ length: 12 }, (_, at) => create(`a/${at}`, at))
  const drawn = (seed: number): string[] => statesAtEnd(steps, 50, seed).map(({ tree }) => textOf(tree))
  expect(drawn(1)).toHaveLength(50)
  expect(drawn(1)).toEqual(drawn(1))
  expect(drawn(1)).not.toEqual(drawn(2))
  expect(drawn(3)).toContain('a: b:')
  expect(drawn(3).some((text) => text.split('=').length === 13)).toBe(true)
})

it('says what was lost', () => {
  const lost = statesAtEnd([create('a/x'), write('new')]).map((state) => state.describe())
  expect(lost).toContain('after step 4 (write of 3 bytes at 0), with all kept')
  expect(lost).toContain('after step 4 (write of 3 bytes at 0), with lost: create a/x, torn: a/x (0 of 3 bytes)')
})

it('tears files at sectors', () => {
  const sector = (letter: string): string => letter.repeat(512)
  const shapes = (durable: string, live: string): string[] =>
    contentsAfterCrash(Buffer.from(durable), Buffer.from(live)).map((content) =>
      content
        .toString()
        .replaceAll('\0', '0')
        .replaceAll(/(.)\1{511}/g, '$1'),
    )
  const live = sector('p') + sector('q') + sector('r')
  expect(shapes('', live).sort()).toEqual(['', '000', '00r', '0qr', 'p', 'pq', 'pq0', 'pqr'])
  expect(shapes(sector('o') + sector('o'), live).sort()).toEqual(['oo', 'oo0', 'oor', 'oqr', 'pq0', 'pq', 'pqr'].sort())
})
