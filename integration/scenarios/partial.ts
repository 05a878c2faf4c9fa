/** Clones that leave objects out (git's partial-clone). */
import { clones, clonesThen, type Scenario, step, triesToClone } from './scenario.ts'

/** Nothing is checked out: git would fetch what it needs for that. */
const bare = (...options: string[]): Scenario['run'] => clones('--bare', ...options)

export const PARTIAL: readonly Scenario[] = [
  { name: 'no blobs', like: 't5616', run: bare('--filter=blob:none') },
  { name: 'blobs of less than a kilobyte', like: 't5616', run: bare('--filter=blob:limit=1k') },
  { name: 'blobs of less than 7 bytes', like: 't5616', run: bare('--filter=blob:limit=7') },
  { name: 'blobs of less than nothing', like: 't5616', run: bare('--filter=blob:limit=0') },
  { name: 'blobs of less than a gigabyte', like: 't5616', run: bare('--filter=blob:limit=1g') },
  { name: 'no trees', like: 't5616', run: bare('--filter=tree:0') },
  { name: 'root trees', like: 't5616', run: bare('--filter=tree:1') },
  { name: 'trees to the second level', like: 't5616', run: bare('--filter=tree:2') },
  { name: 'trees to the fourth level', like: 't5616', run: bare('--filter=tree:4') },
  { name: 'only commits', like: 't5616', run: bare('--filter=object:type=commit') },
  { name: 'only trees', like: 't5616', run: bare('--filter=object:type=tree') },
  { name: 'only blobs', like: 't5616', run: bare('--filter=object:type=blob') },
  { name: 'only tags', like: 't5616', run: bare('--filter=object:type=tag') },
  { name: 'small blobs near the top', like: 't6112', run: bare('--filter=combine:blob:limit=1k+tree:3') },
  { name: 'two filters given one by one', like: 't6112', run: bare('--filter=blob:none', '--filter=tree:2') },
  { name: 'what patterns at a path let through', like: 't5317', run: bare('--filter=sparse:oid=main:patterns') },
  { name: 'what patterns at a path of a tag let through', like: 't5317', run: bare('--filter=sparse:oid=v1:patterns') },
  {
    name: 'what patterns let through, named by their id',
    like: 't5616',
    run: async (visit) => bare(`--filter=sparse:oid=${await visit.source.run('rev-parse', 'main:patterns')}`)(visit),
  },
  { name: 'the last commit by patterns', like: 't5616', run: bare('--depth=1', '--filter=sparse:oid=main:patterns') },
  {
    name: 'by patterns that are not there',
    like: 't5616',
    run: triesToClone('--bare', '--filter=sparse:oid=main:nothing'),
  },
  {
    name: 'by a folder in place of patterns',
    like: 't5616',
    run: triesToClone('--bare', '--filter=sparse:oid=main:a'),
  },
  { name: 'the last commit without blobs', like: 't5616', run: bare('--depth=1', '--filter=blob:none') },
  { name: 'three commits without trees', like: 't5616', run: bare('--depth=3', '--filter=tree:0') },
  { name: 'blobs when they are needed', like: 't5616', run: clones('--filter=blob:none') },
  { name: 'trees when they are needed', like: 't5616', run: clones('--filter=tree:0') },
  {
    name: 'a sparse checkout',
    like: 't5616',
    run: clonesThen(['--filter=blob:none', '--sparse'], ['sparse-checkout', 'set', 'side']),
  },
  {
    name: 'an old commit is checked out',
    like: 't0410',
    run: clonesThen(['--filter=blob:none'], ['checkout', '--quiet', 'v1']),
  },
  {
    name: 'history is read',
    like: 't0410',
    run: clonesThen(['--filter=blob:none'], ['log', '--patch', '--format=%s']),
  },
  {
    name: 'history is read without trees',
    like: 't0410',
    run: clonesThen(['--filter=tree:0'], ['log', '--stat', '--format=%s']),
  },
  {
    name: 'all of it after all',
    like: 't5616',
    run: clonesThen(['--filter=blob:none'], ['fetch', '--quiet', '--refetch', '--no-filter']),
  },
  {
    name: 'what others have pushed',
    like: 't5616',
    changes: true,
    run: async (visit) => {
      await clones('--filter=blob:none')(visit)
      await visit.othersPush()
      return [await visit.clone.run('pull', '--quiet'), await visit.clone.run('rev-list', 'origin/main')]
    },
  },
  {
    name: 'a push of a commit on top',
    like: 't5616',
    changes: true,
    run: async ({ outside, clone, url }) => {
      await outside.run('clone', '--quiet', '--filter=blob:none', url, 'clone')
      await step(clone, 'on top', { 'top.txt': 'top\n' })
      return [await clone.try(['push', '--porcelain', 'origin', 'HEAD:refs/heads/main'])]
    },
  },
]
