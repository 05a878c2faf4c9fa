import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../integration/support/git.ts'
import { Random } from '../../integration/support/random.ts'
import type { Push, Read, Refs } from '../history.ts'
import { Workshop } from './commits.ts'
import { Meeting } from './meeting.ts'
import { parseAdvertisement } from './list-refs.ts'
import { lostRace, outcomeOf, Pusher, SHARED } from './pusher.ts'

const line = (text: string): string => (text.length + 4).toString(16).padStart(4, '0') + text
const never = new AbortController().signal
const OID = 'a'.repeat(40)
const OTHER = 'b'.repeat(40)

describe('what a node lists', () => {
  const head = `${line('# service=git-upload-pack\n')}0000`
  it.each([
    {
      name: 'refs, without HEAD and peeled tags',
      text: `${head}${line(`${OID} HEAD\0caps\n`)}${line(`${OID} refs/heads/main\n`)}${line(`${OTHER} refs/tags/v1\n`)}${line(`${OID} refs/tags/v1^{}\n`)}0000`,
      refs: { 'refs/heads/main': OID, 'refs/tags/v1': OTHER },
    },
    { name: 'nothing', text: `${head}${line(`${'0'.repeat(40)} capabilities^{}\0caps\n`)}0000`, refs: {} },
    {
      name: 'a first ref with capabilities',
      text: `${head}${line(`${OID} refs/heads/x\0caps\n`)}0000`,
      refs: { 'refs/heads/x': OID },
    },
  ])('is read: $name', ({ text, refs }) => {
    expect(parseAdvertisement(text)).toEqual(refs)
  })

  it.each([`${head}${line(`${OID} refs/heads/main\n`)}`, '', 'hello'])('is not half of it: %j', (text) => {
    expect(() => parseAdvertisement(text)).toThrow(RangeError)
  })
})

describe('what git said of a push', () => {
  it.each([
    { code: 0, stdout: ' \trefs/heads/a:refs/heads/a\t1..2\nDone\n', outcome: 'acknowledged' },
    { code: 1, stdout: 'To x\n!\ta:refs/heads/a\t[rejected] (stale info)\nDone\n', outcome: 'refused' },
    { code: 1, stdout: '!\ta:b\t[remote rejected] (failed to update ref)\n', outcome: 'refused' },
    { code: 1, stdout: '!\ta:b\t[remote failure] (remote failed to report status)\n', outcome: 'unknown' },
    { code: 128, stdout: '', outcome: 'unknown' },
    { code: 1, stdout: '!\ta:b\t[rejected] (atomic push failed)\n!\tc:d\t[remote failure] (x)\n', outcome: 'unknown' },
  ])('$outcome: $code $stdout', ({ code, stdout, outcome }) => {
    expect(outcomeOf({ code, stdout })).toBe(outcome)
  })
})

it.each([
  { line: SHARED, said: '!\ta:b\t[remote rejected] (reference changed meanwhile; fetch first)', lost: true },
  { line: SHARED, said: '!\ta:b\t[rejected] (stale info)', lost: false },
  { line: 'refs/heads/p', said: '!\ta:b\t[remote rejected] (no)', lost: false },
])('who raced lost by word of the home: $lost ($line $said)', ({ lost, ...push }) => {
  expect(lostRace(push)).toBe(lost)
})

describe('a pusher', () => {
  /** Pushes so often to a bare repository beside it. */
  async function pushes(seed: number, count: number): Promise<{ pushes: Push[]; refs: Refs }> {
    using folder = temporaryFolder('pusher')
    const workshop = await Workshop.open(folder.path)
    const target = `${folder.path}/home.git`
    await workshop.git.run('init', '--quiet', '--bare', target)
    const stop = new AbortController()
    const made: Push[] = []
    const read = async (): Promise<Read> => {
      const text = await workshop.git.run('ls-remote', target)
      const refs = Object.fromEntries(
        text
          .split('\n')
          .filter((one) => one.includes('\trefs/'))
          .map((one) => [one.slice(41), one.slice(0, 40)]),
      )
      return { by: 'list', node: 'home', repository: 'ants', beganMs: 0, endedMs: 0, refs }
    }
    const pusher = new Pusher({
      name: 'p',
      repository: 'ants',
      workshop,
      random: new Random(seed),
      url: () => target,
      read,
      meet: async () => {},
      hasLost: () => false,
      nowMs: () => 0,
      onBegin() {},
      broken: never,
      onPush(push) {
        if (made.push(push) === count) stop.abort()
      },
    })
    await pusher.run(stop.signal)
    return { pushes: made, refs: (await read()).refs }
  }

  it('makes the same choices for the same seed, and knows what it made', async () => {
    const [once, twice] = [await pushes(3, 12), await pushes(3, 12)]
    const choices = (all: readonly Push[]): string[] =>
      all.map(({ updates }) => updates.map(({ ref, to }) => `${ref} ${to === undefined}`).join())
    expect(choices(twice.pushes)).toEqual(choices(once.pushes))
    expect(once.pushes.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 12 }, () => 'acknowledged'))
    const refs: Record<string, string> = {}
    for (const { updates } of once.pushes) {
      for (const { ref, from, to } of updates) {
        expect(from).toBe(refs[ref])
        if (to === undefined) delete refs[ref]
        else refs[ref] = to
      }
    }
    expect(once.refs).toEqual(refs)
  })
})

describe('a meeting', () => {
  it('lets two go on together', async () => {
    const meeting = new Meeting()
    const order: string[] = []
    const first = meeting.meet(never).then(() => order.push('first'))
    await Promise.resolve()
    expect(order).toEqual([])
    await Promise.all([first, meeting.meet(never).then(() => order.push('second'))])
    expect(order.toSorted()).toEqual(['first', 'second'])
  })

  it('ends for who is told to leave, whom nobody meets later', async () => {
    const meeting = new Meeting()
    const leaving = new AbortController()
    const left = meeting.meet(leaving.signal)
    leaving.abort()
    await left
    const order: string[] = []
    const next = meeting.meet(never).then(() => order.push('next'))
    await Promise.resolve()
    expect(order).toEqual([])
    await meeting.meet(never)
    await next
  })
})
