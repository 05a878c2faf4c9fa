/** Rows of the matrix: how a client gets what a host has, whole or in part. */
import { pushByOthers, step } from '../scenarios/scenario.ts'
import type { Capability, Place } from './capability.ts'

/** A line of the second band. */
const PROGRESS = new RegExp(`[0-9a-f]{4}${String.fromCharCode(2)}`)

type Row = Omit<Capability, 'group'>
type Asked = Parameters<Place['does']>[0]

const does =
  (...all: readonly Asked[]): Row['run'] =>
  async (place) => {
    for (const asked of all) await place.does(asked)
    return []
  }

const clones = (asked: Omit<Asked, 'verb'> = {}): Row['run'] => does({ verb: 'clone', ...asked })

const othersPush = ({ git, source, options }: Place): Promise<void> => pushByOthers(git, source, options.directUrl)

async function fetchesWhatOthersPush(place: Place): Promise<readonly unknown[]> {
  await place.does({ verb: 'clone' })
  await othersPush(place)
  return does({ verb: 'fetch' })(place)
}

const clonesIn = (version: '0' | '1' | '2'): Row => ({
  name: `clone in protocol ${version}`,
  repository: 'filled',
  isUsed: (wire) => wire.version() === version,
  run: clones({ version }),
})

export const FETCH_ROWS: readonly Row[] = [
  {
    name: 'refs are listed, with what tags point to',
    repository: 'filled',
    run: async (place) => [(await place.does({ verb: 'ls-remote' })).refs],
  },
  clonesIn('0'),
  clonesIn('1'),
  clonesIn('2'),
  { name: 'bare clone', repository: 'filled', run: clones({ bare: true }) },
  { name: 'clone of one branch', repository: 'filled', run: clones({ branch: 'old' }) },
  {
    name: 'the branch of HEAD is checked out (symref)',
    repository: 'filled',
    isUsed: (wire) => wire.answered(/symref=HEAD:refs\/heads\/main|symref-target:refs\/heads\/main/),
    run: async (place) => {
      await place.does({ verb: 'clone' })
      return [await place.clone.run('symbolic-ref', 'HEAD')]
    },
  },
  { name: 'clone of an empty repository', repository: 'empty', run: clones() },
  {
    name: 'the branch of an unborn HEAD is told',
    repository: 'empty',
    isUsed: (wire) => wire.asked('unborn'),
    run: async (place) => {
      await place.does({ verb: 'clone' })
      return [await place.clone.run('symbolic-ref', 'HEAD')]
    },
  },
  { name: 'fetch of what others have pushed', repository: 'filled for itself', run: fetchesWhatOthersPush },
  { name: 'fetch of nothing new', repository: 'filled', run: does({ verb: 'clone' }, { verb: 'fetch' }) },
  {
    name: 'fetch of one branch',
    repository: 'filled',
    run: does({ verb: 'clone', branch: 'old' }, { verb: 'fetch', branch: 'main' }),
  },
  {
    name: 'tags come with what they point to (include-tag)',
    repository: 'filled',
    isUsed: (wire) => wire.asked('include-tag'),
    run: async (place) => {
      await place.makeEmptyClone()
      await place.does({ verb: 'fetch' })
      return [await place.clone.run('tag', '--list')]
    },
  },
  {
    name: 'fetch of all tags',
    repository: 'filled',
    run: async (place) => {
      await place.makeEmptyClone()
      await place.does({ verb: 'fetch', allTags: true })
      return [await place.clone.run('tag', '--list')]
    },
  },
  {
    name: 'an object that no ref points to, by its id',
    repository: 'filled',
    isUsed: async (wire, { source }) => wire.asked(await source.run('rev-parse', 'main~2')),
    run: async (place) => {
      await place.makeEmptyClone()
      return does({ verb: 'fetch', oid: await place.source.run('rev-parse', 'main~2') })(place)
    },
  },
  {
    name: 'a branch asked for by its name (ref-in-want)',
    repository: 'filled for itself',
    // Not for every row: with it, C git 2.39 cannot clone shallowly from itself.
    twinSettings: ['uploadpack.allowRefInWant'],
    isUsed: (wire) => wire.asked('want-ref refs/heads/old'),
    run: async (place) => {
      await place.makeEmptyClone()
      return does({ verb: 'fetch', branch: 'old' })(place)
    },
  },
  {
    name: 'a long negotiation, in compressed requests (gzip)',
    repository: 'filled for itself',
    isUsed: (wire) => wire.posts().some(({ headers }) => headers['content-encoding'] === 'gzip'),
    run: async (place) => {
      const { clone } = place
      await place.does({ verb: 'clone' })
      await clone.run('checkout', '--quiet', '--orphan', 'lonely')
      for (let at = 0; at < 70; at++) await clone.run('commit', '--quiet', '--allow-empty', '-m', `lonely ${at}`)
      await othersPush(place)
      return does({ verb: 'fetch' })(place)
    },
  },
  {
    name: 'thin packs are asked for and completed',
    repository: 'filled for itself',
    isUsed: (wire) => wire.asked('thin-pack'),
    run: fetchesWhatOthersPush,
  },
  {
    name: 'deltas that name their base by its place (ofs-delta)',
    repository: 'filled',
    isUsed: (wire) => wire.asked('ofs-delta'),
    run: clones(),
  },
  {
    name: 'progress in a side band',
    repository: 'filled',
    isUsed: (wire) => wire.answered(PROGRESS),
    run: clones({ progress: true }),
  },
  {
    name: 'all of an answer in bands (sideband-all)',
    repository: 'filled',
    isUsed: (wire) => wire.asked('sideband-all'),
    run: clones(),
  },
]

/** A whole that is made of a part by a second operation. */
const shallowThen = (asked: Omit<Asked, 'verb'>): Row['run'] =>
  does({ verb: 'clone', depth: 1 }, { verb: 'fetch', ...asked })

export const HISTORY_ROWS: readonly Row[] = [
  { name: 'the last commit (--depth)', repository: 'filled', run: clones({ depth: 1 }) },
  { name: 'five commits, over a merge', repository: 'filled', run: clones({ depth: 5 }) },
  { name: 'the last commits of one branch', repository: 'filled', run: clones({ depth: 2, branch: 'old' }) },
  {
    name: 'what is younger than a time (--shallow-since)',
    repository: 'filled',
    isUsed: (wire) => wire.asked('deepen-since'),
    run: async (place) => clones({ sinceS: await place.timeOf('main~3') })(place),
  },
  {
    name: 'what a ref does not reach (--shallow-exclude)',
    repository: 'filled',
    isUsed: (wire) => wire.asked('deepen-not'),
    run: clones({ exclude: 'old' }),
  },
  { name: 'then more of it, counted from the tip', repository: 'filled', run: shallowThen({ depth: 3 }) },
  {
    name: 'then more of it, counted from its end (--deepen)',
    repository: 'filled',
    isUsed: (wire) => wire.asked('deepen-relative'),
    run: shallowThen({ deepen: 2 }),
  },
  { name: 'then all of it (--unshallow)', repository: 'filled', run: shallowThen({ unshallow: true }) },
  {
    name: 'then what others have pushed',
    repository: 'filled for itself',
    run: async (place) => {
      await place.does({ verb: 'clone', depth: 1 })
      await othersPush(place)
      return does({ verb: 'fetch' })(place)
    },
  },
  {
    name: 'then a push of a commit on top',
    repository: 'filled for itself',
    run: async (place) => {
      await place.does({ verb: 'clone', depth: 1 })
      await step(place.clone, 'on top', { 'top.txt': 'top\n' })
      return does({ verb: 'push', refs: ['refs/heads/main:refs/heads/main'] })(place)
    },
  },
]

const filtered = (filter: string): Pick<Row, 'isUsed' | 'run'> => ({
  // Limits are told in bytes, whatever the user wrote.
  isUsed: (wire) => wire.asked(`filter ${filter}`),
  // Nothing is checked out: a client would fetch what it needs for that.
  run: clones({ bare: true, filter }),
})

export const FILTER_ROWS: readonly Row[] = [
  { name: 'no files (blob:none)', repository: 'filled', ...filtered('blob:none') },
  { name: 'small files (blob:limit)', repository: 'filled', ...filtered('blob:limit=1024') },
  { name: 'no folders (tree:0)', repository: 'filled', ...filtered('tree:0') },
  { name: 'one kind (object:type)', repository: 'filled', ...filtered('object:type=commit') },
  { name: 'what patterns let through (sparse:oid)', repository: 'filled', ...filtered('sparse:oid=main:patterns') },
  {
    name: 'several filters at once (combine)',
    repository: 'filled',
    ...filtered('combine:blob:limit=1024+tree:3'),
  },
  {
    name: 'then a file when it is needed',
    repository: 'filled',
    run: async (place) => {
      await place.does({ verb: 'clone', bare: true, filter: 'blob:none' })
      const oid = await place.source.run('rev-parse', 'main~4:a/b/c/deep.txt')
      return [(await place.does({ verb: 'show', oid })).content]
    },
  },
]
