/** What refs a host has, and how a clone keeps up with them (git-ls-remote, git-remote). */
import type { Git } from '../support/git.ts'
import { clones, clonesThen, type Scenario } from './scenario.ts'

const lists =
  (...args: string[]): Scenario['run'] =>
  async ({ outside, url }) => {
    const [before, after] = args.includes('--')
      ? [args.slice(0, args.indexOf('--')), args.slice(args.indexOf('--') + 1)]
      : [args, []]
    return [await outside.try(['ls-remote', ...before, url, ...after])]
  }

export const LISTING: readonly Scenario[] = [
  { name: 'all refs', like: 't5512', run: lists() },
  { name: 'branches', like: 't5512', run: lists('--heads') },
  { name: 'tags, with what they point to', like: 't5512', run: lists('--tags') },
  { name: 'real refs only', like: 't5512', run: lists('--refs') },
  { name: 'what HEAD points to', like: 't5512', run: lists('--symref') },
  { name: 'what HEAD points to, and nothing else', like: 't5512', run: lists('--symref', '--', 'HEAD') },
  { name: 'by the end of a name', like: 't5512', run: lists('--', 'main') },
  { name: 'by a pattern', like: 't5512', run: lists('--', 'refs/tags/v*') },
  { name: 'by two patterns', like: 't5512', run: lists('--', 'refs/heads/s*', 'light') },
  { name: 'nothing, which the exit code tells', like: 't5512', run: lists('--exit-code', '--', 'refs/heads/none') },
  { name: 'tags by version, the newest first', like: 't5512', run: lists('--tags', '--sort=-version:refname') },
  {
    name: 'by prefixes, of which one is within another',
    like: 't5701',
    run: lists('--', 'refs/heads/main', 'refs/heads/ma*'),
  },
  { name: 'with an option for the server', like: 't5702', run: lists('--server-option=hello', '--heads') },
  { name: 'what a remote shows', like: 't5505', run: clonesThen([], ['remote', 'show', 'origin']) },
  {
    name: 'HEAD of the remote, found again',
    like: 't5505',
    run: clonesThen([], ['remote', 'set-head', 'origin', '--delete'], ['remote', 'set-head', 'origin', '--auto']),
  },
  {
    name: 'branches that are gone are pruned',
    like: 't5505',
    changes: true,
    run: async (visit) => {
      await clones()(visit)
      await visit.othersPush(':refs/heads/side', 'HEAD:refs/heads/new')
      const shown = await visit.clone.run('remote', 'show', 'origin')
      return [shown, await visit.clone.run('remote', 'prune', 'origin'), ...(await branchesOf(visit.clone))]
    },
  },
  {
    name: 'all remotes are brought up to date',
    like: 't5505',
    changes: true,
    run: async (visit) => {
      await clones()(visit)
      await visit.othersPush('HEAD:refs/heads/main', 'HEAD:refs/heads/new')
      await visit.clone.run('remote', 'add', 'again', visit.url)
      await visit.clone.run('remote', 'update')
      return branchesOf(visit.clone)
    },
  },
]

async function branchesOf(clone: Git): Promise<string[]> {
  return [await clone.run('for-each-ref', '--format=%(refname) %(objectname)', 'refs/remotes')]
}
