/** Clones with a part of history (gitshallow). */
import { clones, clonesThen, type Scenario, step, triesToClone } from './scenario.ts'

export const SHALLOW: readonly Scenario[] = [
  { name: 'the last commit', like: 't5537', run: clones('--depth=1') },
  { name: 'the last commit, without a work tree', like: 't5537', run: clones('--depth=1', '--bare') },
  { name: 'three commits over a merge', like: 't5500', run: clones('--depth=5') },
  { name: 'more commits than there are', like: 't5500', run: clones('--depth=1000') },
  { name: 'the last commit of each branch', like: 't5500', run: clones('--depth=1', '--no-single-branch') },
  { name: 'a tag', like: 't5500', run: clones('--depth=2', '--branch=v1') },
  { name: 'a tag of a tag', like: 't5500', run: clones('--depth=1', '--branch=v1-again') },
  { name: 'without tags', like: 't5537', run: clones('--depth=8', '--no-tags') },
  {
    name: 'what is younger than a time',
    like: 't5500',
    run: async (visit) => clones(`--shallow-since=${await visit.timeOf('main~3')}`)(visit),
  },
  {
    name: 'what is younger than a time on one of two lines',
    like: 't5500',
    run: async (visit) => clones(`--shallow-since=${await visit.timeOf('side~1')}`, '--no-single-branch')(visit),
  },
  {
    name: 'nothing is young enough',
    like: 't5500',
    run: triesToClone('--shallow-since=2040-01-01'),
  },
  { name: 'what a tag does not reach', like: 't5500', run: clones('--shallow-exclude=v1') },
  { name: 'what a branch does not reach', like: 't5500', run: clones('--shallow-exclude=side') },
  {
    name: 'what two refs do not reach',
    like: 't5500',
    run: clones('--shallow-exclude=v1', '--shallow-exclude=refs/heads/side'),
  },
  {
    name: 'what a ref that is not there does not reach',
    like: 't5500',
    run: triesToClone('--shallow-exclude=nowhere'),
  },
  { name: 'then more of it', like: 't5537', run: clonesThen(['--depth=1'], ['fetch', '--depth=3']) },
  { name: 'then less of it', like: 't5537', run: clonesThen(['--depth=8'], ['fetch', '--depth=2']) },
  {
    name: 'then deeper',
    like: 't5500',
    run: clonesThen(['--depth=1'], ['fetch', '--deepen=2'], ['fetch', '--deepen=1']),
  },
  { name: 'then deeper than there is', like: 't5500', run: clonesThen(['--depth=2'], ['fetch', '--deepen=100']) },
  { name: 'then all', like: 't5537', run: clonesThen(['--depth=1'], ['fetch', '--unshallow']) },
  {
    name: 'then all branches and all',
    like: 't5537',
    run: clonesThen(['--depth=1', '--no-single-branch'], ['fetch', '--unshallow']),
  },
  {
    name: 'then another branch',
    like: 't5537',
    run: clonesThen(['--depth=1'], ['fetch', '--depth=1', 'origin', 'old:old']),
  },
  {
    name: 'then another branch as it is',
    like: 't5537',
    run: clonesThen(['--depth=2'], ['fetch', 'origin', 'old:old']),
  },
  { name: 'then a tag', like: 't5537', run: clonesThen(['--depth=1', '--no-tags'], ['fetch', 'origin', 'tag', 'v1']) },
  {
    name: 'then what is younger than a time',
    like: 't5500',
    run: async (visit) => clonesThen(['--depth=1'], ['fetch', `--shallow-since=${await visit.timeOf('v1')}`])(visit),
  },
  {
    name: 'then what a tag does not reach',
    like: 't5500',
    run: clonesThen(['--depth=1'], ['fetch', '--shallow-exclude=v1']),
  },
  {
    name: 'then what others have pushed',
    like: 't5537',
    changes: true,
    run: async (visit) => {
      await clones('--depth=1')(visit)
      await visit.othersPush()
      return [await visit.clone.run('fetch'), await visit.clone.run('rev-list', 'origin/main')]
    },
  },
  {
    name: 'then what others have pushed, and no more',
    like: 't5537',
    changes: true,
    run: async (visit) => {
      await clones('--depth=2')(visit)
      await visit.othersPush()
      return [await visit.clone.run('fetch', '--depth=1'), await visit.clone.run('rev-list', 'origin/main')]
    },
  },
  {
    name: 'then a push of a commit on top, and of a branch',
    like: 't5538',
    changes: true,
    run: async ({ outside, clone, url }) => {
      await outside.run('clone', '--quiet', '--depth=1', url, 'clone')
      await step(clone, 'on top', { 'top.txt': 'top\n' })
      return [await clone.try(['push', '--porcelain', 'origin', 'HEAD:refs/heads/main', 'HEAD:refs/heads/topic'])]
    },
  },
  {
    name: 'then a clone of it by path',
    like: 't5537',
    run: async ({ outside, clone, url }) => {
      await outside.run('clone', '--quiet', '--depth=3', url, 'clone')
      await outside.run('clone', '--quiet', '--no-local', 'clone', 'again')
      return [await clone.in('../again').run('rev-list', '--objects', '--all')]
    },
  },
]
