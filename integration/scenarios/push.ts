/** Ways to push (git-push). */
import { type Scenario, step, type Visit } from './scenario.ts'
import type { Git } from '../support/git.ts'

type Work = (clone: Git, visit: Visit) => Promise<readonly string[]>

/** A clone with a commit of its own on `main`, from which something is pushed. */
function scenario(like: string, name: string, work: Work): Scenario {
  return {
    name,
    like,
    changes: true,
    run: async (visit) => {
      await visit.outside.run('clone', '--quiet', visit.url, 'clone')
      await step(visit.clone, 'mine', { 'mine.txt': 'mine\n' })
      return work(visit.clone, visit)
    },
  }
}

/** @returns what was said, in the words that are not the host's own */
async function push(clone: Git, ...args: string[]): Promise<string> {
  const { code, stdout } = await clone.try(['push', '--porcelain', ...args])
  const lines = stdout.split('\n').map((line) => (line.startsWith('!') ? line.replace(/ \(.*\)$/, '') : line))
  return [`${code}`, ...lines].join('\n')
}

/** Pushes once. */
const pushes = (like: string, name: string, ...args: string[]): Scenario =>
  scenario(like, name, async (clone) => [await push(clone, ...args)])

/** Pushes when others have pushed to `main`. */
const late = (like: string, name: string, ...args: string[]): Scenario =>
  scenario(like, name, async (clone, visit) => {
    await visit.othersPush()
    return [await push(clone, ...args)]
  })

const LEASE = '--force-with-lease'

export const PUSH: readonly Scenario[] = [
  pushes('t5516', 'the current branch', 'origin', 'HEAD'),
  pushes('t5516', 'a new branch', 'origin', 'main:refs/heads/new'),
  pushes('t5516', 'a new branch by a short name', 'origin', 'main:new'),
  pushes('t5516', 'all branches', '--all', 'origin'),
  pushes('t5516', 'branches that both have', 'origin', ':'),
  pushes('t5516', 'branches by a pattern', 'origin', 'refs/remotes/origin/*:refs/heads/copy/*'),
  pushes('t5516', 'all tags', '--tags', 'origin'),
  pushes('t5516', 'one ref forced, the other not', 'origin', '+main~3:main', 'main:side'),
  pushes('t5516', 'a branch set back is refused', 'origin', 'main~3:main'),
  pushes('t5516', 'a branch set back is forced', '--force', 'origin', 'main~3:main'),
  pushes('t5516', 'deletion', '--delete', 'origin', 'side', 'v1'),
  pushes('t5516', 'deletion of what is not there', '--delete', 'origin', 'refs/heads/none'),
  pushes('t5516', 'what is gone here is deleted there', '--prune', 'origin', 'refs/heads/*:refs/heads/*'),
  pushes('t5516', 'without changing anything', '--dry-run', 'origin', 'main', ':side'),
  pushes('t5516', 'to a place of other refs', 'origin', 'main:refs/for/review', 'main:refs/meta/config'),
  pushes('t5516', 'a tree as a branch', 'origin', 'main^{tree}:refs/heads/tree'),
  pushes('t5516', 'a tree and a blob as tags', 'origin', 'main^{tree}:refs/tags/tree', 'main:README:refs/tags/blob'),
  pushes('t5516', 'an old commit as a branch, without an object', 'origin', 'main~4:refs/heads/older'),
  pushes(
    't5516',
    'the same commit to many branches',
    'origin',
    ...Array.from({ length: 20 }, (_, at) => `main:b${at}`),
  ),
  pushes('t5516', 'nothing new', 'origin', 'main~1:main'),
  pushes('t5516', 'a whole pack, with no base left out', '--no-thin', 'origin', 'main'),
  pushes('t5516', 'a branch with a name beyond ASCII', 'origin', 'main:refs/heads/ünï-ç🙂'),
  pushes('t5527', 'a branch with an odd name', 'origin', "main:refs/heads/a'b;c$d&e"),
  pushes('t5541', 'in chunks', 'origin', 'main'),
  pushes('t5543', 'all or none: all', '--atomic', 'origin', 'main', 'main:new'),
  pushes('t5543', 'all or none: none, as one is set back', '--atomic', 'origin', 'main~3:main', 'main:new'),
  pushes('t5543', 'all or none: none, as one has no place', '--atomic', 'origin', 'main', 'main:refs/heads/side/below'),
  pushes('t5543', 'all or none: with a deletion', '--atomic', 'origin', 'main', ':side'),
  pushes('t5534', 'signed, if the host asks', '--signed=if-asked', 'origin', 'main'),
  pushes('t5534', 'signed, which the host does not take', '--signed=yes', 'origin', 'main'),
  pushes('t5545', 'with an option', '--push-option=ci.skip', 'origin', 'main'),
  pushes('t5545', 'with several options, one of them empty', '-o', '', '-o', 'a=b c', '-o', 'ü', 'origin', 'main'),
  pushes('t5545', 'with an option, all or none', '-o', 'x', '--atomic', 'origin', 'main', 'main:new'),
  pushes('t5545', 'a deletion with an option', '-o', 'x', 'origin', ':side'),
  pushes('t5400', 'a branch and its deletion in two names', 'origin', 'main:refs/heads/a', ':old'),
  pushes('t5405', 'a branch that is rewound to its root', '--force', 'origin', 'main~8:main'),
  late('t5516', 'what is not on top of the newest is refused', 'origin', 'main'),
  late('t5516', 'what is not on top of the newest is forced', '--force', 'origin', 'main'),
  late('t5533', 'with a lease on what was seen, refused', LEASE, 'origin', 'main'),
  late('t5533', 'with a lease on one ref and not on the other', `${LEASE}=main`, 'origin', 'main', 'main:new'),
  late('t5533', 'with a lease on what must not be there', `${LEASE}=new:`, 'origin', 'main:new'),
  late('t5533', 'with a lease on what must not be there, refused', `${LEASE}=side:`, 'origin', 'main:side'),
  late('t5543', 'all or none, when one was overtaken', '--atomic', 'origin', 'main', 'main:new'),
  scenario('t5533', 'with a lease on what was fetched, taken', async (clone, visit) => {
    await visit.othersPush()
    await clone.run('fetch', '--quiet')
    return [
      await push(clone, LEASE, 'origin', 'main'),
      await push(clone, '--force-if-includes', LEASE, 'origin', 'main'),
    ]
  }),
  scenario('t5533', 'with a lease, refused where what was fetched is not included', async (clone, visit) => {
    await visit.othersPush()
    await clone.run('fetch', '--quiet')
    return [await push(clone, LEASE, '--force-if-includes', 'origin', 'main')]
  }),
  scenario('t5516', 'a tag with what it points to', async (clone) => {
    await clone.run('tag', '-a', '-m', 'new', 'new')
    await clone.run('tag', '-a', '-m', 'elsewhere', 'elsewhere', 'v1~1')
    return [await push(clone, '--follow-tags', 'origin', 'main'), await push(clone, 'origin', 'elsewhere')]
  }),
  scenario('t5516', 'a tag of a tag of a new commit', async (clone) => {
    await clone.run('tag', '-a', '-m', 'one', 'one')
    await clone.run('tag', '-a', '-m', 'two', 'two', 'one')
    return [await push(clone, 'origin', 'two')]
  }),
  scenario('t5516', 'a history of its own', async (clone) => {
    await clone.run('checkout', '--quiet', '--orphan', 'alone')
    await step(clone, 'alone', { 'alone.txt': 'alone\n' })
    return [await push(clone, 'origin', 'alone')]
  }),
  scenario('t5517', 'as a mirror: new, changed and gone', async (clone, visit) => {
    await visit.outside.run('clone', '--quiet', '--mirror', visit.url, 'mirror')
    const mirror = visit.outside.in('mirror')
    const mine = await clone.run('rev-parse', 'main')
    await mirror.run('fetch', '--quiet', '../clone', '+main:main', 'main:extra')
    await mirror.run('branch', '-D', 'old')
    await mirror.run('update-ref', 'refs/notes/x', mine)
    return [await push(mirror, '--mirror', 'origin'), await push(mirror, '--mirror', 'origin')]
  }),
  scenario('t5523', 'and follow it from now on', async (clone) => {
    await clone.run('checkout', '--quiet', '-b', 'topic')
    const said = await push(clone, '--set-upstream', 'origin', 'topic')
    return [said, await clone.run('config', 'branch.topic.merge'), await clone.run('status', '--short', '--branch')]
  }),
  ...['current', 'simple', 'upstream', 'matching', 'nothing'].map((value) =>
    scenario('t5528', `as push.default ${value} says`, async (clone) => {
      await clone.run('config', 'push.default', value)
      return [await push(clone)]
    }),
  ),
  scenario('t5404', 'and see where its branches are', async (clone) => {
    const said = [await push(clone, 'origin', 'main', ':side', 'main:new')]
    return [...said, await clone.run('for-each-ref', '--format=%(refname) %(objectname)', 'refs/remotes')]
  }),
  scenario('t3301', 'notes', async (clone) => {
    await clone.run('notes', 'add', '-m', 'a note', 'v1^{}')
    return [await push(clone, 'origin', 'refs/notes/*')]
  }),
  scenario('t5541', 'a large file in chunks', async (clone) => {
    await step(clone, 'large', { 'large.txt': Array.from({ length: 60_000 }, (_, at) => `${at * 7_919}\n`).join('') })
    await clone.run('config', 'http.postBuffer', '65536')
    return [await push(clone, 'origin', 'main')]
  }),
  scenario('t5516', 'one after another', async (clone) => {
    const said: string[] = []
    for (let at = 0; at < 5; at++) {
      await step(clone, `again ${at}`, { 'mine.txt': `again ${at}\n` })
      said.push(await push(clone, 'origin', 'main'))
    }
    return said
  }),
  scenario('t5519', 'with objects borrowed from another one', async (_, visit) => {
    await visit.outside.run('clone', '--quiet', '--reference', visit.source.folder, visit.url, 'borrower')
    const borrower = visit.outside.in('borrower')
    await step(borrower, 'borrowed', { 'borrowed.txt': 'borrowed\n' })
    return [await push(borrower, 'origin', 'HEAD:main')]
  }),
  scenario('t5520', 'when what others have pushed was pulled', async (clone, visit) => {
    await visit.othersPush()
    await clone.run('pull', '--quiet', '--no-rebase', '--no-commit')
    await clone.run('commit', '--quiet', '-m', 'merged')
    return [await push(clone, 'origin', 'main')]
  }),
]
