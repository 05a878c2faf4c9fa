/** Ways to clone (git-clone). */
import { clones, clonesThen, type Scenario, triesToClone } from './scenario.ts'

/** What is checked out, and what the clone is set to follow. */
const HEAD = ['rev-parse', '--symbolic-full-name', 'HEAD'] as const
const FETCHES = ['config', '--get-all', 'remote.origin.fetch'] as const

export const CLONE: readonly Scenario[] = [
  { name: 'all of it', like: 't5601', run: clonesThen([], HEAD, FETCHES) },
  { name: 'without a checkout', like: 't5601', run: clones('--no-checkout') },
  { name: 'bare', like: 't5601', run: clonesThen(['--bare'], HEAD) },
  { name: 'as a mirror', like: 't5601', run: clonesThen(['--mirror'], HEAD, FETCHES) },
  { name: 'with another name for the remote', like: 't5606', run: clonesThen(['--origin', 'upstream'], ['remote']) },
  { name: 'what is not shallow, where that is asked', like: 't5606', run: clones('--reject-shallow') },
  { name: 'without tags', like: 't5612', run: clonesThen(['--no-tags'], ['fetch'], ['tag']) },
  { name: 'a branch', like: 't5609', run: clonesThen(['--branch=side'], HEAD) },
  { name: 'a tag, with nothing but a commit checked out', like: 't5609', run: clonesThen(['--branch=v1'], HEAD) },
  {
    name: 'a branch that is not there',
    like: 't5609',
    run: triesToClone('--branch=nowhere'),
  },
  {
    name: 'the only branch that is asked for, then a fetch',
    like: 't5612',
    run: clonesThen(['--single-branch', '--branch=old'], FETCHES, ['fetch'], ['branch', '--remotes']),
  },
  {
    name: 'only a tag, then a fetch',
    like: 't5612',
    run: clonesThen(['--single-branch', '--branch=v1'], FETCHES, ['fetch'], ['branch', '--remotes']),
  },
  {
    name: 'only one branch, as a mirror',
    like: 't5612',
    run: clonesThen(['--mirror', '--single-branch'], FETCHES),
  },
  {
    name: 'with objects borrowed from another one',
    like: 't5604',
    run: async ({ outside, url, source }) => {
      await outside.run('clone', '--quiet', '--reference', source.folder, url, 'clone')
      return [await outside.in('clone').run('count-objects')]
    },
  },
  {
    name: 'with objects borrowed, and copied then',
    like: 't5604',
    run: async ({ outside, url, source }) => {
      await outside.run('clone', '--quiet', '--reference', source.folder, '--dissociate', url, 'clone')
      return []
    },
  },
  { name: 'with every object checked', like: 't5504', run: clonesThen(['-c', 'transfer.fsckObjects=true'], HEAD) },
  { name: 'kept as one pack', like: 't5300', run: clones('-c', 'fetch.unpackLimit=1') },
  { name: 'unpacked to single objects', like: 't5300', run: clones('-c', 'transfer.unpackLimit=100000') },
  {
    name: 'with an option for the server',
    like: 't5702',
    run: triesToClone('--quiet', '--server-option=hello', '--server-option=x=y'),
  },
  {
    name: 'of an address that ends in a slash',
    like: 't5601',
    run: async ({ outside, url }) => {
      await outside.run('clone', '--quiet', `${url}/`, 'clone')
      return []
    },
  },
  {
    name: 'of a repository that is not there',
    like: 't5551',
    run: async ({ outside, url }) => [
      `${(await outside.try(['clone', url.replace(/[^/]+\.git$/, 'nowhere.git'), 'clone'])).code}`,
    ],
  },
]
