import { describe, expect, it } from 'vitest'
import { blob, type MadeObject, makeObject, tag, tree } from '../../../integration/support/pack-maker.ts'
import { OBJECT_TYPE } from '../object/type.ts'
import { CommitQueue } from './commit-queue.ts'
import { findBoundary } from './deepen.ts'
import { everyWantReaches } from './reach.ts'
import { selectObjects } from './select.ts'

/** Objects by hand; every read is counted. */
class Memory {
  readonly #objects = new Map<string, MadeObject>()
  reads = 0

  add(object: MadeObject): string {
    this.#objects.set(object.oid, object)
    return object.oid
  }

  /** A commit whose tree holds one file of its own. */
  commit(timeS: number, parents: readonly string[] = [], content = `at ${timeS}`): string {
    const root = this.add(tree(['100644', 'file', this.add(blob(content))]))
    const who = `A <a@example.org> ${timeS} +0000`
    const lines = [`tree ${root}`, ...parents.map((parent) => `parent ${parent}`), `author ${who}`, `committer ${who}`]
    return this.add(makeObject('commit', `${lines.join('\n')}\n\nm\n`))
  }

  line(times: readonly number[], start: readonly string[] = []): string[] {
    let parents = start
    return times.map((timeS) => {
      const oid = this.commit(timeS, parents)
      parents = [oid]
      return oid
    })
  }

  readonly read = (oid: Buffer, at: number) => {
    this.reads++
    const name = oid.toString('hex', at, at + 20)
    const found = this.#objects.get(name)
    if (found === undefined) throw new Error(`${name} is missing`)
    return { type: OBJECT_TYPE[found.type], data: found.data }
  }

  readonly sizeOf = (oid: Buffer, at: number) => this.read(oid, at).data.length

  select(wants: readonly string[], haves: readonly string[], tags: readonly string[] = []): string[] {
    const selecting = { wants: fromHex(wants), haves: fromHex(haves), annotatedTags: fromHex(tags) }
    const { oids, count } = selectObjects(this, selecting)
    return Array.from({ length: count }, (_, at) => oids.toString('hex', at * 20, at * 20 + 20))
  }

  reaches = (wants: readonly string[], common: readonly string[]): boolean =>
    everyWantReaches(this, fromHex(wants), fromHex(common))
}

const fromHex = (oids: readonly string[]): Buffer[] => oids.map((oid) => Buffer.from(oid, 'hex'))
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, at) => from + at)

describe('what a receiver needs', () => {
  it('is found without a look at the history that it has', () => {
    const memory = new Memory()
    const commits = memory.line(range(1, 2_000))
    memory.reads = 0
    const selected = memory.select(commits.slice(-1), commits.slice(-4, -3))
    expect(selected).toHaveLength(3 * 3)
    expect(memory.reads).toBeLessThan(40)
  })

  it('is found in a line of thirty thousand commits', () => {
    const memory = new Memory()
    const commits = memory.line(range(1, 30_001))
    expect(memory.select(commits.slice(-1), [])).toHaveLength(90_000)
  })

  it('leaves out what turns out to be known after it was listed', () => {
    // The parent says that it is younger than its child, so it is seen first, from the other side.
    const memory = new Memory()
    const [parent = ''] = memory.line([900])
    const child = memory.commit(100, [parent])
    const wanted = memory.commit(1_000, [parent])
    // Another line keeps the walk going until the child comes up.
    const [oldest = ''] = memory.line([50])
    const long = memory.line(range(60, 70), [oldest])
    const selected = memory.select([wanted, ...long.slice(-1)], [child])
    expect(selected).not.toContain(parent)
    expect(selected).toContain(wanted)
  })

  it('is nothing that it reaches, where all that lies between was made in one second', () => {
    const memory = new Memory()
    const commits = [memory.commit(0)]
    for (const at of range(1, 8)) commits.push(memory.commit(0, commits.slice(-1), `content ${at}`))
    expect(memory.select(commits.slice(0, 1), commits.slice(-1))).toEqual([])
    expect(memory.select(commits.slice(0, 2), commits.slice(-1))).toEqual([])
  })

  it('is a tree or a blob, if that is what is wanted, and nothing that it is known to have', () => {
    const memory = new Memory()
    const file = memory.add(blob('x'))
    const folder = memory.add(tree(['100644', 'a', file], ['160000', 'submodule', 'ab'.repeat(20)]))
    expect(memory.select([folder], [])).toEqual([folder, file])
    expect(memory.select([file, file], [])).toEqual([file])
    expect(memory.select([folder], [file])).toEqual([folder])
    expect(memory.select([file], [folder])).toEqual([])
  })

  it('is every tag on the way to what is wanted, once', () => {
    const memory = new Memory()
    const commit = memory.commit(1)
    const inner = memory.add(tag(commit, 'commit', 'inner'))
    const outer = memory.add(tag(inner, 'tag', 'outer'))
    expect(memory.select([outer, inner, outer], [commit])).toEqual([outer, inner])
    expect(memory.select([outer], [inner])).toEqual([outer])
    expect(memory.select([outer], [outer])).toEqual([])
  })

  it('is a tag that nobody asked for where its commit is sent, and no other', () => {
    const memory = new Memory()
    const [old = '', young = ''] = memory.line([1, 2])
    const tags = [old, young].map((oid) => memory.add(tag(memory.add(tag(oid, 'commit', 'inner')), 'tag', 'outer')))
    const selected = memory.select([young], [old], tags)
    expect(selected).toContain(tags[1])
    expect(selected).not.toContain(tags[0])
    expect(selected).toHaveLength(3 + 2)
  })

  it('is not asked twice of a chain of tags that many tags share', () => {
    const memory = new Memory()
    const commit = memory.commit(1)
    const chain = range(0, 300).reduce<string[]>(
      (tags, at) => [...tags, memory.add(tag(tags.at(-1) ?? commit, at === 0 ? 'commit' : 'tag', `t${at}`))],
      [],
    )
    const other = memory.commit(2)
    memory.reads = 0
    expect(memory.select([other], [commit], chain)).toHaveLength(3)
    expect(memory.reads).toBeLessThan(1_000)
  })
})

describe('whether enough is in common', () => {
  it.each<{ name: string; ask: (memory: Memory, line: string[]) => [string[], string[]]; enough: boolean }>([
    { name: 'no, with nothing in common', ask: (_, line) => [[line[3] ?? ''], []], enough: false },
    { name: 'yes, with what it comes from', ask: (_, line) => [[line[3] ?? ''], [line[1] ?? '']], enough: true },
    { name: 'yes, with itself', ask: (_, line) => [[line[3] ?? ''], [line[3] ?? '']], enough: true },
    { name: 'no, with what comes after it', ask: (_, line) => [[line[1] ?? ''], [line[3] ?? '']], enough: false },
    {
      name: 'no, where one of two reaches nothing',
      ask: (memory, line) => [[line[3] ?? '', memory.commit(9)], [line[1] ?? '']],
      enough: false,
    },
    {
      name: 'yes, through tags on both sides',
      ask: (memory, line) => [[memory.add(tag(line[3] ?? '', 'commit'))], [memory.add(tag(line[0] ?? '', 'commit'))]],
      enough: true,
    },
    {
      name: 'yes, for a blob, which is sent whatever is in common',
      ask: (memory, line) => [[memory.add(blob('b'))], [line[0] ?? '']],
      enough: true,
    },
    {
      name: 'no, with a blob in common only',
      ask: (memory, line) => [[line[3] ?? ''], [memory.add(blob('b'))]],
      enough: false,
    },
  ])('$name', ({ ask, enough }) => {
    const memory = new Memory()
    const [wants, common] = ask(memory, memory.line([1, 2, 3, 4]))
    expect(memory.reaches(wants, common)).toBe(enough)
  })

  it('costs one walk, however many are wanted', () => {
    const memory = new Memory()
    const commits = memory.line(range(1, 3_000))
    memory.reads = 0
    expect(memory.reaches(commits, commits.slice(0, 1))).toBe(true)
    expect(memory.reads).toBeLessThan(3 * commits.length)
  })
})

it('commits come newest first, those of one time in the order in which they were given', () => {
  const queue = new CommitQueue<{ committerTimeS: number; number: number }>()
  const items = range(0, 500).map((number) => ({ number, committerTimeS: (number * 7_919) % 23 }))
  for (const item of items) queue.push(item)
  const taken = range(0, 500).map(() => queue.pop())
  expect(taken).toEqual([...items].sort((a, b) => b.committerTimeS - a.committerTimeS || a.number - b.number))
  expect(queue.pop()).toBeUndefined()
  expect(queue.size).toBe(0)
})

describe('tags of tags of tags', () => {
  const memory = new Memory()
  const [root = ''] = memory.line([1])
  const tags = range(0, 500).reduce(
    (all, number) => [...all, memory.add(tag(all.at(-1) ?? root, number === 0 ? 'commit' : 'tag', `t${number}`))],
    [] as string[],
  )
  const wants = tags.toReversed()

  // A client may want 100,000 of them: each peeled by itself, 2,000 took 2,003,000 reads and 2.4 s.
  it.each([
    { name: 'whether the client may stop saying what it has', ask: () => memory.reaches(wants, [root]) },
    {
      name: 'where history ends, by depth',
      ask: () => findBoundary(memory, fromHex(wants), [], { ...DEEPENING, depth: 1 }),
    },
    {
      name: 'where history ends, by refs',
      ask: () => findBoundary(memory, fromHex([root]), [], { ...DEEPENING, not: fromHex(wants) }),
    },
  ])('are each read once, to find $name', ({ ask }) => {
    memory.reads = 0
    ask()
    expect(memory.reads).toBeLessThanOrEqual(tags.length + 10)
  })
})

const DEEPENING = { depth: undefined, relative: false, sinceS: undefined, not: [] }
