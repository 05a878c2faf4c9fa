/** Ways to fetch (git-fetch, git-pull). */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { clones, clonesThen, refusal, type Scenario, step, type Visit } from './scenario.ts'

const REFS = ['for-each-ref', '--format=%(refname) %(objectname)'] as const
/** A clone that has the end of one branch only, and knows of no tag. */
const LITTLE = ['--single-branch', '--branch=old', '--no-tags'] as const

/** Into an empty repository that knows no remote. */
const fetches =
  (...args: string[]): Scenario['run'] =>
  async ({ outside, clone, url }) => {
    await outside.run('init', '--quiet', 'clone')
    return [await clone.try(['fetch', '--quiet', ...args.map((arg) => (arg === 'URL' ? url : arg))])]
  }

/** A clone, what others push meanwhile, and what the clone does then. */
const whenOthersPushed =
  (refspecs: readonly string[], ...commands: readonly (readonly string[])[]): Scenario['run'] =>
  async (visit) => {
    await clones()(visit)
    await visit.othersPush(...refspecs)
    const said = []
    for (const command of commands) said.push(await visit.clone.try(command))
    return said
  }

/** As git wrote it, but for the address. */
async function fetchHeadOf({ clone }: Visit): Promise<string> {
  return readFileSync(join(clone.folder, await clone.run('rev-parse', '--git-path', 'FETCH_HEAD')), 'utf8')
}

const reading: readonly Scenario[] = [
  { name: 'one branch by its name', like: 't5510', run: clonesThen(LITTLE, ['fetch', 'origin', 'side']) },
  { name: 'a branch to another name', like: 't5510', run: fetches('URL', 'main:refs/other/main') },
  { name: 'all branches to a place of their own', like: 't5510', run: fetches('URL', '+refs/heads/*:refs/mine/*') },
  { name: 'all refs', like: 't5510', run: fetches('URL', '+refs/*:refs/*') },
  { name: 'several refs', like: 't5510', run: fetches('URL', 'main:a', 'side:b', 'refs/tags/v1:refs/tags/one') },
  { name: 'HEAD', like: 't5510', run: fetches('URL', 'HEAD:refs/heads/theirs') },
  { name: 'a ref that is not there', like: 't5510', run: fetches('URL', 'nowhere') },
  { name: 'without changing anything', like: 't5510', run: fetches('--dry-run', 'URL', 'main:a') },
  { name: 'all or none of the refs', like: 't5510', run: fetches('--atomic', 'URL', 'main:a', 'side:b') },
  {
    name: 'another branch, named by a map',
    like: 't5510',
    run: clonesThen([], ['fetch', '--refmap=', 'origin', 'old:x'], REFS),
  },
  { name: 'all branches but one', like: 't5582', run: fetches('URL', 'refs/heads/*:refs/mine/*', '^refs/heads/side') },
  { name: 'tags with what they point to', like: 't5503', run: clonesThen(['--no-tags'], ['fetch', '--tags'], ['tag']) },
  { name: 'a tag of a tag', like: 't5503', run: fetches('URL', 'tag', 'v1-again') },
  {
    name: 'tags that come along',
    like: 't5503',
    run: clonesThen(LITTLE, ['config', '--unset', 'remote.origin.tagOpt'], ['fetch'], ['tag']),
  },
  { name: 'a branch, and no tag', like: 't5503', run: fetches('--no-tags', 'URL', 'main:a') },
  {
    name: 'what is noted of several refs',
    like: 't5515',
    run: async (visit) => {
      await visit.outside.run('init', '--quiet', 'clone')
      await visit.clone.run('fetch', '--quiet', visit.url, 'main', 'side', 'tag', 'v1')
      await visit.clone.run('fetch', '--quiet', '--append', visit.url, 'old')
      return [await fetchHeadOf(visit)]
    },
  },
  {
    name: 'a commit by its id, that no ref names',
    like: 't5516',
    run: async (visit) => {
      const oid = await visit.source.run('rev-parse', 'main~3')
      return fetches('URL', `${oid}:refs/heads/by-id`)(visit)
    },
  },
  {
    name: 'a tag by its id',
    like: 't5516',
    run: async (visit) => {
      const oid = await visit.source.run('rev-parse', 'v1-again')
      return fetches('URL', `${oid}:refs/tags/by-id`)(visit)
    },
  },
  {
    name: 'a blob by its id',
    like: 't5516',
    run: async (visit) => {
      const oid = await visit.source.run('rev-parse', 'main:README')
      return fetches('URL', `${oid}:refs/tags/by-id`)(visit)
    },
  },
  { name: 'an id that is not there', like: 't5516', run: fetches('URL', `${'1'.repeat(40)}:refs/heads/x`) },
  { name: 'two remotes at once', like: 't5514', run: twice('--multiple', 'one', 'two') },
  { name: 'all remotes', like: 't5514', run: twice('--all') },
  { name: 'two remotes at the same time', like: 't5514', run: twice('--jobs=2', '--multiple', 'one', 'two') },
  { name: 'saying what it has of one branch only', like: 't5510', run: local('--negotiation-tip=mine', 'origin') },
  {
    name: 'saying every some of what it has',
    like: 't5552',
    run: local('origin', 'main:x', '-c', 'fetch.negotiationAlgorithm=skipping'),
  },
  {
    name: 'saying all that it has',
    like: 't5552',
    run: local('origin', 'main:x', '-c', 'fetch.negotiationAlgorithm=consecutive'),
  },
  {
    name: 'saying nothing of what it has',
    like: 't5554',
    run: local('origin', 'main:x', '-c', 'fetch.negotiationAlgorithm=noop'),
  },
  { name: 'with every object checked', like: 't5504', run: local('origin', 'main:x', '-c', 'fetch.fsckObjects=true') },
  { name: 'all of it again', like: 't5616', run: clonesThen([], ['fetch', '--quiet', '--refetch']) },
]

const changing: readonly Scenario[] = [
  { name: 'what others have pushed', like: 't5510', run: whenOthersPushed([], ['fetch'], REFS) },
  {
    name: 'a new branch',
    like: 't5510',
    run: whenOthersPushed(['HEAD:refs/heads/new'], ['fetch', '--porcelain'], ['fetch'], REFS),
  },
  {
    name: 'branches that are gone are pruned',
    like: 't5510',
    run: whenOthersPushed([':refs/heads/old', 'HEAD:main'], ['fetch', '--prune'], REFS),
  },
  {
    name: 'tags that are gone are pruned',
    like: 't5510',
    run: whenOthersPushed([':refs/tags/v1', ':refs/tags/light'], ['fetch', '--prune', '--prune-tags'], REFS),
  },
  {
    name: 'a branch that was set back',
    like: 't5510',
    run: whenOthersPushed(['+HEAD~3:refs/heads/main'], ['fetch'], REFS),
  },
  {
    name: 'a branch that was set back is refused without a plus',
    like: 't5510',
    run: whenOthersPushed(
      ['+HEAD~3:refs/heads/main'],
      ['fetch', 'origin', 'refs/heads/main:refs/remotes/origin/main'],
      REFS,
    ),
  },
  {
    name: 'a tag that was moved is refused',
    like: 't5516',
    run: whenOthersPushed(
      ['+HEAD:refs/tags/light'],
      ['fetch', '--quiet', 'origin', 'refs/tags/light:refs/tags/light'],
      REFS,
    ),
  },
  {
    name: 'a tag that was moved is forced',
    like: 't5516',
    run: whenOthersPushed(['+HEAD:refs/tags/light'], ['fetch', '--quiet', '--tags', '--force'], REFS),
  },
  {
    name: 'a folder of branches where a branch was',
    like: 't5510',
    run: whenOthersPushed([':refs/heads/old', 'HEAD:refs/heads/old/new'], ['fetch', '--quiet', '--prune'], REFS),
  },
  {
    name: 'pulled, straight on',
    like: 't5520',
    run: whenOthersPushed([], ['pull', '--quiet'], ['log', '--format=%H']),
  },
  { name: 'pulled, and merged', like: 't5520', run: pulled('--no-rebase', '--no-commit') },
  { name: 'pulled, and put on top', like: 't5520', run: pulled('--rebase') },
  { name: 'pulled, and refused where it is not straight on', like: 't5520', run: pulled('--ff-only') },
]

export const FETCH: readonly Scenario[] = [...reading, ...changing.map((one) => ({ ...one, changes: true as const }))]

/** From two remotes, which are one. */
function twice(...args: string[]): Scenario['run'] {
  return async ({ outside, clone, url }) => {
    await outside.run('init', '--quiet', 'clone')
    for (const name of ['one', 'two']) await clone.run('remote', 'add', name, url)
    const { code } = await clone.try(['fetch', '--quiet', ...args])
    return [`${code}`]
  }
}

/** By somebody who has much of his own; what follows `-c` goes before the command. */
function local(...args: string[]): Scenario['run'] {
  return async ({ outside, clone, url }) => {
    await outside.run('clone', '--quiet', ...LITTLE, url, 'clone')
    await clone.run('checkout', '--quiet', '-b', 'mine')
    for (let at = 0; at < 12; at++) await step(clone, `mine ${at}`, { 'mine.txt': `${at}\n` })
    const options = args.includes('-c') ? args.slice(args.indexOf('-c')) : []
    const rest = args.slice(0, args.length - options.length)
    return [await clone.try([...options, 'fetch', '--quiet', ...rest])]
  }
}

/** Where both sides have gone on. */
function pulled(...options: string[]): Scenario['run'] {
  return async (visit) => {
    await clones()(visit)
    await visit.othersPush()
    await step(visit.clone, 'mine', { 'mine.txt': 'mine\n' })
    const outcome = await visit.clone.try(['pull', '--quiet', ...options])
    // By itself git would write the address into the message.
    if (options.includes('--no-commit')) await visit.clone.run('commit', '--quiet', '-m', 'merged')
    return [refusal(outcome), await visit.clone.run('log', '--format=%s %P')]
  }
}
