/** Rows of the matrix: how a client changes what a host has, and what goes with every operation. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { step } from '../scenarios/scenario.ts'
import type { Capability, Place } from './capability.ts'
import type { WireRecord } from './wire-record.ts'

type Row = Omit<Capability, 'group'>

const MAIN = 'refs/heads/main:refs/heads/main'
const own = 'filled for itself'
/** Below a branch there is no room for another one: the host refuses it, whatever the client thinks. */
const BELOW_MAIN = 'refs/heads/main:refs/heads/main/below'

/** Pushes from a clone with one commit more. */
const pushes =
  (...refs: readonly string[]): Row['run'] =>
  async (place) => {
    await place.makeClone()
    await step(place.clone, 'pushed', { 'a/b/middle.txt': `${'y'.repeat(2_000)}pushed\n` })
    await place.does({ verb: 'push', refs })
    return []
  }

const isRefusedFor =
  (...refs: readonly string[]): Row['run'] =>
  async (place) => {
    await place.makeClone()
    await place.isRefused({ verb: 'push', refs })
    return []
  }

/** Leaves `main` of the clone beside what the host has. */
async function makeOtherMain(place: Place): Promise<void> {
  await place.makeClone()
  await place.clone.run('reset', '--quiet', '--hard', 'main~1')
  await step(place.clone, 'other', { 'other.txt': 'other\n' })
}

const tagged =
  (name: string, ...options: readonly string[]): Row['run'] =>
  async (place) => {
    await place.makeClone()
    await place.clone.run('tag', ...options, name, 'main~1')
    await place.does({ verb: 'push', refs: [`refs/tags/${name}:refs/tags/${name}`] })
    return []
  }

/** Whether what was pushed is no whole pack by itself. */
async function pushedThinly(wire: WireRecord, { git, options }: Place): Promise<boolean> {
  mkdirSync(join(options.folder, 'judge'))
  await git.in('judge').run('init', '--quiet', '--bare')
  const pack = wire.pack()
  if (pack === undefined) return false
  const { code, stderr } = await git.in('judge').try(['index-pack', '--stdin'], pack)
  return code !== 0 && stderr.includes('unresolved delta')
}

export const PUSH_ROWS: readonly Row[] = [
  {
    name: 'first push to an empty repository',
    repository: 'empty',
    run: pushes(MAIN),
  },
  { name: 'push that is a fast-forward', repository: own, run: pushes(MAIN) },
  { name: 'push of a new branch', repository: own, run: pushes('refs/heads/main:refs/heads/topic') },
  {
    name: 'push that is no fast-forward is refused',
    repository: own,
    run: async (place) => {
      await makeOtherMain(place)
      await place.isRefused({ verb: 'push', refs: [MAIN] })
      return []
    },
  },
  {
    name: 'push by force',
    repository: own,
    run: async (place) => {
      await makeOtherMain(place)
      await place.does({ verb: 'push', refs: [`+${MAIN}`] })
      return []
    },
  },
  { name: 'deletion of a branch', repository: own, run: pushes(':refs/heads/side') },
  { name: 'deletion of a tag', repository: own, run: pushes(':refs/tags/light') },
  { name: 'deletion of the current branch is refused', repository: own, run: isRefusedFor(':refs/heads/main') },
  { name: 'push of a light tag', repository: own, run: tagged('new') },
  { name: 'push of an annotated tag', repository: own, run: tagged('new', '-a', '-m', 'new') },
  {
    name: 'several refs in one push',
    repository: own,
    run: pushes(MAIN, 'refs/heads/old:refs/heads/topic', ':refs/heads/side'),
  },
  {
    name: 'atomic push of several refs',
    repository: own,
    isUsed: (wire) => wire.asked('atomic'),
    run: async (place) => {
      await place.makeClone()
      const refs = ['refs/heads/main:refs/heads/one', 'refs/heads/old:refs/heads/two']
      await place.does({ verb: 'push', atomic: true, refs })
      return []
    },
  },
  {
    name: 'atomic push of which one ref is refused: none is changed',
    repository: own,
    isUsed: (wire) => wire.asked('atomic'),
    run: async (place) => {
      await place.makeClone()
      await place.isRefused({ verb: 'push', atomic: true, refs: ['refs/heads/main:refs/heads/one', BELOW_MAIN] })
      return []
    },
  },
  { name: 'a refusal by the host is told (report-status)', repository: own, run: isRefusedFor(BELOW_MAIN) },
  {
    name: 'reports in their second form (report-status-v2)',
    repository: own,
    isUsed: (wire) => wire.asked('report-status-v2'),
    run: pushes(MAIN),
  },
  {
    name: 'push options',
    repository: own,
    isUsed: (wire) => wire.asked('ci.skip'),
    run: async (place) => {
      await place.makeClone()
      const pushOptions = ['ci.skip', 'topic=with a blank']
      await place.does({ verb: 'push', pushOptions, refs: ['refs/heads/main:refs/heads/options'] })
      return []
    },
  },
  { name: 'push of a thin pack', repository: own, isUsed: pushedThinly, run: pushes(MAIN) },
  {
    name: 'push in chunks, without a length',
    repository: own,
    isUsed: (wire) => wire.posts().some(({ headers }) => headers['transfer-encoding'] === 'chunked'),
    run: async (place) => {
      await place.makeClone()
      const numbers = Array.from({ length: 400_000 }, (_, at) => ((at * 2_654_435_761) % 2 ** 32).toString(36))
      await step(place.clone, 'large', { 'noise.txt': numbers.join('') })
      await place.does({ verb: 'push', refs: [MAIN] })
      return []
    },
  },
]

export const AROUND_ROWS: readonly Row[] = [
  {
    name: 'clone and push with a password (Basic)',
    repository: 'private',
    run: async (place) => {
      await place.does({ verb: 'clone' })
      await step(place.clone, 'private', { 'private.txt': 'private\n' })
      await place.does({ verb: 'push', refs: [MAIN] })
      return []
    },
  },
  {
    name: 'a wrong password is refused',
    repository: 'private',
    run: async (place) => {
      await place.isRefused({ verb: 'clone', password: 'wrong' })
      return []
    },
  },
  {
    name: 'options for the host (server-option)',
    repository: 'filled',
    isUsed: (wire) => wire.asked('server-option=hello'),
    run: async (place) => {
      await place.does({ verb: 'clone', serverOptions: ['hello'] })
      return []
    },
  },
  {
    name: 'the name of a session (session-id)',
    repository: 'filled',
    isUsed: (wire) => wire.asked('session-id='),
    run: async (place) => {
      await place.does({ verb: 'clone', sessionId: true })
      return []
    },
  },
  {
    name: 'push from a SHA-256 repository is refused',
    repository: own,
    run: async (place) => {
      await place.makeEmptyClone('--object-format=sha256')
      await step(place.clone, 'another hash', { README: 'sha256\n' })
      await place.isRefused({ verb: 'push', refs: [`+${MAIN}`] })
      return []
    },
  },
  {
    name: 'fetch into a SHA-256 repository is refused',
    repository: 'filled',
    run: async (place) => {
      await place.makeEmptyClone('--object-format=sha256')
      await place.isRefused({ verb: 'fetch' })
      return []
    },
  },
]
