/** Everything that people do with git and a host, each as one step on one repository: the rows of the matrix. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { refusal } from './scenarios/scenario.ts'
import type { Git, GitOutcome } from './support/git.ts'

export interface Workplace {
  /** Runs in a folder of its own; `work` below it is a clone. */
  readonly git: Git
  /** With credentials. */
  readonly url: string
  readonly version: '0' | '1' | '2'
}

export interface Operation {
  readonly name: string
  /** @returns what is to be the same at every host, beside the repository itself */
  run(place: Workplace): Promise<readonly (GitOutcome | string)[]>
}

const LINES = 2_000

function write(place: Workplace, path: string, content: string): void {
  const file = join(place.git.folder, 'work', path)
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, content)
}

const numbers = (from: number, count: number): string =>
  Array.from({ length: count }, (_, at) => `line ${from + at}\n`).join('')

/** What a clone of everything holds, and that it is whole. */
async function cloneAndLook(place: Workplace, ...options: string[]): Promise<string[]> {
  rmSync(join(place.git.folder, 'clone'), { recursive: true, force: true })
  await place.git.run('clone', '--quiet', ...options, place.url, 'clone')
  const clone = place.git.in('clone')
  const fsck = await clone.try(['fsck', '--strict', '--no-dangling', '--no-progress'])
  const refs = await clone.run('for-each-ref', '--format=%(refname) %(objectname) %(symref)')
  const objects = await clone.run('rev-list', '--objects', '--all')
  return [refs, objects, `fsck ${fsck.code}`]
}

export const OPERATIONS: readonly Operation[] = [
  {
    name: 'clone of an empty repository, whose HEAD is unborn',
    run: async ({ git, url }) => {
      await git.run('clone', '--quiet', url, 'work')
      return [await git.run('ls-remote', url), await git.in('work').run('symbolic-ref', 'HEAD')]
    },
  },
  {
    name: 'first push',
    run: async (place) => {
      write(place, 'README', 'hello\n')
      write(place, 'large.txt', numbers(0, LINES))
      await place.git.in('work').commit('first')
      return [await place.git.in('work').try(['push', '--porcelain', place.url, 'HEAD:refs/heads/main'])]
    },
  },
  { name: 'clone', run: (place) => cloneAndLook(place) },
  {
    name: 'push of a thin pack with deltas, and a fetch of it',
    run: async (place) => {
      write(place, 'large.txt', `${numbers(0, LINES)}one more\n`)
      const work = place.git.in('work')
      await work.commit('second')
      const pushed = await work.try(['push', '--porcelain', place.url, 'HEAD:refs/heads/main'])
      const clone = place.git.in('clone')
      return [pushed, await clone.run('fetch', '--quiet', 'origin'), await clone.run('rev-parse', 'origin/main')]
    },
  },
  {
    name: 'push that is nothing new',
    run: async ({ git, url }) => [await git.in('work').try(['push', '--porcelain', url, 'HEAD:refs/heads/main'])],
  },
  {
    name: 'new branches from what is there, without an object',
    run: async ({ git, url }) => [
      await git
        .in('work')
        .try(['push', '--porcelain', url, 'HEAD:refs/heads/feature/one', 'HEAD~1:refs/heads/feature/two']),
    ],
  },
  {
    name: 'a branch where another one needs a folder is refused',
    run: async ({ git, url }) => [
      refusal(await git.in('work').try(['push', '--porcelain', url, 'HEAD:refs/heads/feature'])),
    ],
  },
  {
    name: 'push that is no fast-forward is refused by the client, and forced',
    run: async (place) => {
      const work = place.git.in('work')
      await work.run('checkout', '--quiet', '-b', 'other', 'HEAD~1')
      write(place, 'other.txt', 'other\n')
      await work.commit('other')
      const plain = await work.try(['push', '--porcelain', place.url, 'HEAD:refs/heads/main'])
      const forced = await work.try(['push', '--porcelain', '--force', place.url, 'HEAD:refs/heads/main'])
      const clone = place.git.in('clone')
      return [
        refusal(plain),
        forced,
        (await clone.try(['fetch', 'origin'])).stdout,
        await clone.run('rev-parse', 'origin/main'),
      ]
    },
  },
  {
    name: 'force with lease: refused when stale, taken when true',
    run: async (place) => {
      const work = place.git.in('work')
      const [head, parent] = [await work.run('rev-parse', 'HEAD'), await work.run('rev-parse', 'HEAD~1')]
      await work.run('commit', '--quiet', '--amend', '-m', 'amended')
      const lease = (oid: string): string[] => [
        'push',
        '--porcelain',
        `--force-with-lease=main:${oid}`,
        place.url,
        'HEAD:main',
      ]
      return [refusal(await work.try(lease(parent))), await work.try(lease(head))]
    },
  },
  {
    name: 'tags: lightweight, annotated, of a tag, of a tree, of a blob',
    run: async ({ git, url }) => {
      const work = git.in('work')
      await work.run('tag', 'light')
      await work.run('tag', '-a', '-m', 'annotated', 'annotated')
      await work.run('tag', '-a', '-m', 'of a tag', 'nested', 'annotated')
      await work.run('tag', '-a', '-m', 'of a tree', 'tree', 'HEAD^{tree}')
      await work.run('tag', 'blob', 'HEAD:README')
      const pushed = await work.try(['push', '--porcelain', url, '--tags'])
      return [pushed, await git.run('ls-remote', url), await git.run('ls-remote', '--tags', url, 'nested*')]
    },
  },
  {
    name: 'a tag comes with what it points to (include-tag), and all tags when asked for',
    run: async (place) => {
      const clone = place.git.in('clone')
      await clone.run('fetch', '--quiet', 'origin')
      const followed = await clone.run('tag', '--list')
      await clone.run('fetch', '--quiet', '--tags', 'origin')
      return [followed, await clone.run('tag', '--list'), await clone.run('rev-list', '--objects', '--all')]
    },
  },
  {
    name: 'a tag that moves is refused, and forced',
    run: async ({ git, url }) => {
      const work = git.in('work')
      await work.run('tag', '-f', 'light', 'HEAD~1')
      return [
        refusal(await work.try(['push', '--porcelain', url, 'refs/tags/light'])),
        await work.try(['push', '--porcelain', '--force', url, 'refs/tags/light']),
      ]
    },
  },
  {
    name: 'deletion of a branch, a tag and both at once',
    run: async ({ git, url }) => {
      const work = git.in('work')
      return [
        await work.try(['push', '--porcelain', url, ':refs/heads/feature/two']),
        await work.try(['push', '--porcelain', url, '--delete', 'refs/tags/light']),
        await work.try(['push', '--porcelain', url, ':refs/heads/feature/one', ':refs/tags/blob']),
      ]
    },
  },
  {
    name: 'a branch takes the place of the folder of deleted ones, and gives it back in one push',
    run: async ({ git, url }) => {
      const work = git.in('work')
      return [
        await work.try(['push', '--porcelain', url, 'HEAD:refs/heads/feature']),
        await work.try(['push', '--porcelain', url, ':refs/heads/feature']),
        await work.try(['push', '--porcelain', url, 'HEAD:refs/heads/feature/three']),
      ]
    },
  },
  {
    name: 'deletion of the current branch is refused',
    run: async ({ git, url }) => [refusal(await git.in('work').try(['push', '--porcelain', url, ':refs/heads/main']))],
  },
  {
    name: 'deletion together with creation and change',
    run: async (place) => {
      write(place, 'mixed.txt', 'mixed\n')
      const work = place.git.in('work')
      await work.commit('mixed')
      const specs = [
        'HEAD:refs/heads/main',
        ':refs/heads/feature/three',
        'HEAD:refs/heads/mixed',
        'HEAD~1:refs/tags/mixed',
      ]
      return [await work.try(['push', '--porcelain', place.url, ...specs])]
    },
  },
  {
    name: 'atomic: all refs when none is refused',
    run: async ({ git, url }) => [
      await git.in('work').try(['push', '--porcelain', '--atomic', url, 'HEAD~1:refs/heads/a1', 'HEAD:refs/heads/a2']),
    ],
  },
  {
    name: 'atomic: none when one is refused by the host',
    run: async ({ git, url }) => [
      refusal(
        await git
          .in('work')
          .try(['push', '--porcelain', '--atomic', url, 'HEAD:refs/heads/a3', 'HEAD:refs/heads/a1/below']),
      ),
      await git.run('ls-remote', url),
    ],
  },
  {
    name: 'not atomic: the others when one is refused by the host',
    run: async ({ git, url }) => [
      refusal(await git.in('work').try(['push', '--porcelain', url, 'HEAD:refs/heads/a4', 'HEAD:refs/heads/a1/below'])),
    ],
  },
  {
    name: 'push in chunks, larger than the buffer of the client',
    run: async (place) => {
      write(place, 'many.txt', numbers(1_000_000, 60_000))
      const work = place.git.in('work')
      await work.commit('many')
      return [await work.try(['-c', 'http.postBuffer=4096', 'push', '--porcelain', place.url, 'HEAD:refs/heads/main'])]
    },
  },
  {
    name: 'a long negotiation, in requests that the client compresses',
    run: async (place) => {
      const clone = place.git.in('clone')
      await clone.run('checkout', '--quiet', '--orphan', 'lonely')
      for (let i = 0; i < 90; i++) await clone.run('commit', '--quiet', '--allow-empty', '-m', `lonely ${i}`)
      await clone.run('fetch', '--quiet', 'origin')
      return [await clone.run('rev-parse', 'origin/main'), await clone.run('rev-list', '--objects', 'origin/main')]
    },
  },
  {
    name: 'merges, and a fetch that has one side of them',
    run: async (place) => {
      const work = place.git.in('work')
      await work.run('checkout', '--quiet', '-b', 'side', 'HEAD~2')
      write(place, 'side.txt', 'side\n')
      await work.commit('side')
      await work.run('merge', '--quiet', '--no-edit', '-m', 'merge', 'other')
      const pushed = await work.try([
        'push',
        '--porcelain',
        place.url,
        'HEAD:refs/heads/main',
        'side~1:refs/heads/side',
      ])
      const clone = place.git.in('clone')
      await clone.run('fetch', '--quiet', 'origin', 'side')
      await clone.run('fetch', '--quiet', 'origin')
      return [pushed, await clone.run('rev-list', '--objects', '--remotes')]
    },
  },
  { name: 'clone of one branch', run: (place) => cloneAndLook(place, '--single-branch', '--branch', 'a2') },
  { name: 'clone without tags', run: (place) => cloneAndLook(place, '--no-tags') },
  { name: 'bare clone', run: (place) => cloneAndLook(place, '--bare') },
  {
    name: 'mirror clone and mirror push',
    run: async (place) => {
      const looked = await cloneAndLook(place, '--mirror')
      const mirror = place.git.in('clone')
      await mirror.run('update-ref', 'refs/notes/commits', 'HEAD')
      await mirror.run('update-ref', '-d', 'refs/heads/a4')
      return [...looked, await mirror.try(['push', '--porcelain', '--mirror', place.url])]
    },
  },
  {
    name: 'hundreds of refs in one push',
    run: async ({ git, url }) => {
      const work = git.in('work')
      const head = await work.run('rev-parse', 'HEAD')
      const updates = Array.from({ length: 300 }, (_, at) => `create refs/heads/many/${at} ${head}\n`).join('')
      const made = await work.try(['update-ref', '--stdin'], updates)
      const pushed = await work.try(['push', '--quiet', url, 'refs/heads/many/*:refs/heads/many/*'])
      return [made, `${pushed.code}`, await git.run('ls-remote', url)]
    },
  },
  {
    name: 'their deletion in one push',
    run: async ({ git, url }) => {
      const specs = Array.from({ length: 300 }, (_, at) => `:refs/heads/many/${at}`)
      const pushed = await git.in('work').try(['push', '--quiet', url, ...specs])
      return [`${pushed.code}`, await git.run('ls-remote', url)]
    },
  },
  {
    name: 'a file of a megabyte that does not compress, binary, executable, linked and deep',
    run: async (place) => {
      const noise = Array.from({ length: 2 ** 20 / 8 }, (_, at) =>
        ((at * 2_654_435_761) % 2 ** 32).toString(16).padStart(8, '0'),
      )
      write(place, 'noise.bin', noise.join(''))
      write(place, `${Array.from({ length: 40 }, (_, at) => `d${at}`).join('/')}/deep.txt`, 'deep\n')
      const work = place.git.in('work')
      await work.run('add', '--all')
      await work.run(
        'update-index',
        '--add',
        '--cacheinfo',
        `120000,${await work.run('rev-parse', 'HEAD:README')},link`,
      )
      await work.run('update-index', '--chmod=+x', 'README')
      await work.run('commit', '--quiet', '-m', 'kinds of files')
      return [await work.try(['push', '--porcelain', place.url, 'HEAD:refs/heads/main'])]
    },
  },
  { name: 'clone of everything at the end', run: (place) => cloneAndLook(place) },
]
