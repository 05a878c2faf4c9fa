import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { git, gitWith } from '../../collaboration/testing.ts'
import { openFiles } from '../../../integration/support/open-files.ts'
import { BROWSE_LIMITS } from './browse-limits.ts'
import { type BrowseResult, runBrowse } from './browse-task.ts'
import { releaseStores } from './open-stores.ts'

const directory = mkdtempSync(join(tmpdir(), 'guts-browse-'))
const work = join(directory, 'work')
const bare = join(directory, 'bare.git')
afterAll(() => rmSync(directory, { recursive: true }))

function write(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(work, path)), { recursive: true })
  writeFileSync(join(work, path), content)
}

let second = 1_700_000_000
let ticks = 0
/** Three commits share a second: their order is git's. */
function tick(): { env: Record<string, string> } {
  if (ticks++ % 3 === 0) second += 10
  return { env: { GIT_AUTHOR_DATE: `@${second - 5} +0200`, GIT_COMMITTER_DATE: `@${second} -0300` } }
}

function commit(message: string): void {
  git(work, 'add', '--all')
  gitWith(tick(), work, 'commit', '--quiet', '-m', message)
}

beforeAll(() => {
  git(directory, 'init', '--quiet', '-b', 'main', work)
  const lines = Array.from({ length: 400 }, (_, line) => `line ${line}`)
  for (let i = 0; i < 12; i++) {
    lines[i * 7] = `changed ${i}`
    write('docs/guide/long.txt', lines.join('\n'))
    write(`docs/${i % 3}.md`, `text ${i}\n`)
    commit(`change ${i}\n\nwhy ${i}`)
    if (i % 4 !== 1) continue
    git(work, 'checkout', '--quiet', '-b', `topic-${i}`, 'HEAD~1')
    write(`topic/${i}.txt`, `${i}`)
    commit(`topic ${i}`)
    git(work, 'checkout', '--quiet', 'main')
    gitWith(tick(), work, 'merge', '--quiet', '--no-ff', '-m', `merge ${i}`, `topic-${i}`)
  }
  // What a merge throws away is no part of a path's history.
  git(work, 'checkout', '--quiet', '-b', 'thrown-away')
  for (let i = 0; i < 3; i++) {
    write('docs/0.md', `thrown away ${i}\n`)
    commit(`thrown away ${i}`)
  }
  git(work, 'checkout', '--quiet', 'main')
  write('docs/1.md', 'kept\n')
  commit('kept')
  gitWith(tick(), work, 'merge', '--quiet', '-s', 'ours', '-m', 'merge ours', 'thrown-away')
  write('bin/run', '#!/bin/sh\n')
  symlinkSync('docs/guide', join(work, 'link'))
  write('empty', '')
  write('naïve name.txt', 'x')
  write('limit.bin', Buffer.alloc(BROWSE_LIMITS.file_bytes.value, 7))
  write('over.bin', Buffer.alloc(BROWSE_LIMITS.file_bytes.value + 1, 7))
  git(work, 'add', '--all')
  git(work, 'update-index', '--chmod=+x', 'bin/run')
  git(work, 'update-index', '--add', '--cacheinfo', `160000,${'5'.repeat(40)},vendor/lib`)
  gitWith(tick(), work, 'commit', '--quiet', '-m', 'last')
  git(work, 'tag', '-a', 'v1', '-m', 'one')
  git(work, 'tag', '-a', 'v1-again', 'v1', '-m', 'tag of a tag')
  git(directory, 'clone', '--quiet', '--bare', work, bare)
  git(bare, 'repack', '-a', '-d', '-f', '--depth=20', '--quiet')
  git(bare, 'prune-packed')
})

const oidOf = (name: string): string => git(bare, 'rev-parse', name).trim()
const commits = (options: { start?: string; path?: string; skip?: number; count?: number; repositoryPath?: string }) =>
  runBrowse({
    kind: 'commits',
    repositoryPath: bare,
    start: oidOf('main'),
    path: undefined,
    skip: 0,
    count: 1_000,
    ...options,
  })
const contents = (path: string, start = oidOf('main'), repositoryPath = bare) =>
  runBrowse({ kind: 'contents', repositoryPath, start, path })

function listed(result: BrowseResult): string[] {
  if (result.kind !== 'commits') throw new Error(JSON.stringify(result))
  return result.commits.map(({ oid }) => oid)
}

describe('commits', () => {
  it('come as git log lists them, from packs and from loose objects', () => {
    const expected = git(bare, 'log', '--format=%H', 'main').trim().split('\n')
    expect(expected.length).toBeGreaterThan(15)
    for (const repositoryPath of [bare, join(work, '.git')]) {
      expect(listed(commits({ repositoryPath }))).toEqual(expected)
    }
  })

  it.each(['docs/0.md', 'docs', 'topic/5.txt', 'topic', 'docs/guide/long.txt', 'link', 'vendor/lib', 'nothing/here'])(
    'that changed %s come as git log lists them',
    (path) => {
      const expected = git(bare, 'log', '--format=%H', 'main', '--', path).trim().split('\n').filter(Boolean)
      expect(listed(commits({ path }))).toEqual(expected)
    },
  )

  it('come in pages that fit together', () => {
    const all = listed(commits({}))
    const pages = Array.from({ length: Math.ceil(all.length / 4) }, (_, page) => commits({ skip: page * 4, count: 4 }))
    expect(pages.flatMap(listed)).toEqual(all)
    expect(pages.map((page) => page.kind === 'commits' && page.hasMore)).toEqual(
      pages.map((_, page) => (page + 1) * 4 < all.length),
    )
    expect(commits({ skip: all.length, count: 4 })).toEqual({ kind: 'commits', commits: [], hasMore: false })
  })

  it('carry what git shows of them', () => {
    const result = commits({})
    if (result.kind !== 'commits') throw new Error('refused')
    for (const one of result.commits) {
      const shown = [one.oid, one.tree, one.parents.join(' '), one.author.name, one.author.email, one.author.timeS]
      const rest = [one.committer.name, one.committer.email, one.committer.timeS, one.message]
      const format = '%H%x00%T%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%B'
      const expected = git(bare, 'show', '--no-patch', `--format=${format}`, one.oid).trimEnd()
      expect([...shown, ...rest].join('\0').trimEnd()).toBe(expected)
    }
  })

  it('begin at what a tag of a tag points to', () => {
    expect(listed(commits({ start: oidOf('v1-again'), count: 1 }))).toEqual([oidOf('main')])
  })

  it.each([
    { name: 'a tree', start: () => oidOf('main^{tree}'), code: 'wrong_type' },
    { name: 'a blob', start: () => oidOf('main:empty'), code: 'wrong_type' },
    { name: 'an object that is not here', start: () => '1'.repeat(40), code: 'object_missing' },
  ])('do not begin at $name', ({ start, code }) => {
    expect(commits({ start: start() })).toEqual({ kind: 'refused', code })
  })

  it('are walked up to the limit, and told beyond it', () => {
    const limit = BROWSE_LIMITS.commits_walked.value
    const stream = []
    for (let i = 1; i <= limit + 1; i++) {
      stream.push(`commit refs/heads/main\nmark :${i}\ncommitter A <a@b> ${i} +0000\ndata 0\n`)
    }
    const path = join(directory, 'long.git')
    git(directory, 'init', '--quiet', '--bare', path)
    gitWith({ input: stream.join('') }, path, '-c', 'fastimport.unpackLimit=0', 'fast-import', '--quiet')
    const page = { repositoryPath: path, count: 2, skip: limit - 1 }
    const [tip = '', before = ''] = git(path, 'rev-list', '-2', 'main').split('\n')
    expect(listed(commits({ ...page, start: before }))).toHaveLength(1)
    expect(commits({ ...page, start: tip })).toEqual({ kind: 'refused', code: 'over_limit', limit: 'commits_walked' })
    expect(listed(commits({ ...page, start: tip, skip: 0 }))).toEqual([tip, before])
  }, 180_000)
})

describe('contents', () => {
  const shown = (path: string): string[] =>
    git(bare, 'ls-tree', '-l', '-z', 'main', ...(path === '' ? [] : [path]))
      .split('\0')
      .filter(Boolean)

  it.each([
    { name: 'the root', path: '', tree: '' },
    { name: 'a folder', path: 'docs', tree: 'docs/' },
    { name: 'a folder with a submodule', path: 'vendor', tree: 'vendor/' },
  ])('of $name are what git ls-tree lists', ({ path, tree }) => {
    const result = contents(path)
    if (result.kind !== 'directory') throw new Error(result.kind)
    const types = { dir: 'tree', submodule: 'commit', file: 'blob', symlink: 'blob' } as const
    const prefix = path === '' ? '' : `${path}/`
    const lines = result.entries.map(({ mode, type, oid, size, name }) => {
      return `${mode} ${types[type]} ${oid} ${String(size ?? '-').padStart(7)}\t${prefix}${name}`
    })
    expect(lines).toEqual(shown(tree))
    expect(result.oid).toBe(oidOf(`main:${path}`))
  })

  it('of a file are what git cat-file prints', () => {
    for (const path of [
      'docs/guide/long.txt',
      'docs/1.md',
      'empty',
      'naïve name.txt',
      'bin/run',
      'link',
      'limit.bin',
    ]) {
      const result = contents(path)
      if (result.kind !== 'file') throw new Error(result.kind)
      const content = Buffer.from(result.content ?? '', 'base64')
      expect(content.toString()).toBe(git(bare, 'cat-file', 'blob', `main:${path}`))
      expect(result.entry).toMatchObject({ oid: oidOf(`main:${path}`), size: content.length })
    }
    expect(contents('bin/run')).toMatchObject({ entry: { name: 'run', type: 'file', mode: '100755' } })
    expect(contents('link')).toMatchObject({ entry: { type: 'symlink', mode: '120000' } })
  })

  it('of a submodule are its commit', () => {
    const entry = { name: 'lib', type: 'submodule', mode: '160000', oid: '5'.repeat(40), size: undefined }
    expect(contents('vendor/lib')).toEqual({ kind: 'file', entry, content: undefined })
  })

  it('can be read at a commit, a tree and a tag of a tag', () => {
    const expected = contents('docs')
    for (const start of [oidOf('main^{tree}'), oidOf('v1-again')]) expect(contents('docs', start)).toEqual(expected)
    expect(contents('docs/2.md', oidOf('main~6'))).toMatchObject({ entry: { oid: oidOf('main~6:docs/2.md') } })
  })

  it.each([
    { path: 'nothing', code: 'path_missing' },
    { path: 'docs/nothing', code: 'path_missing' },
    { path: 'empty/below', code: 'path_missing' },
    { path: 'vendor/lib/below', code: 'path_missing' },
    { path: 'docs\0', code: 'path_missing' },
    { path: '..', code: 'path_missing' },
    { path: 'over.bin', code: 'over_limit', limit: 'file_bytes' },
  ])('of $path: $code', (refusal) => {
    const { path, ...rest } = refusal
    expect(contents(path)).toEqual({ kind: 'refused', ...rest })
  })

  it('are refused for a repository that was deleted, also once it was open', () => {
    const gone = join(directory, 'gone.git')
    git(directory, 'clone', '--quiet', '--bare', bare, gone)
    expect(contents('docs', oidOf('main'), gone).kind).toBe('directory')
    releaseStores()
    rmSync(gone, { recursive: true })
    const refused = { kind: 'refused', code: 'repository_missing' }
    expect(contents('docs', oidOf('main'), gone)).toEqual(refused)
    // Its space on disk is free again: nobody holds its files open.
    expect(openFiles(gone)).toEqual([])
    expect(contents('docs', oidOf('main'), join(directory, 'never.git'))).toEqual(refused)
  })

  it('list a folder at the limit, and say that one beyond it is too large', () => {
    const blob = git(work, 'hash-object', '-w', '--stdin').trim()
    const treeOf = (count: number): string => {
      const lines = Array.from({ length: count }, (_, i) => `100644 blob ${blob}\t${i}\n`)
      return gitWith({ input: lines.join('') }, work, 'mktree').trim()
    }
    const limit = BROWSE_LIMITS.directory_entries.value
    const path = join(work, '.git')
    const atLimit = contents('', treeOf(limit), path)
    expect(atLimit.kind === 'directory' && atLimit.entries.length).toBe(limit)
    const refused = { kind: 'refused', code: 'over_limit', limit: 'directory_entries' }
    expect(contents('', treeOf(limit + 1), path)).toEqual(refused)
  })

  it('read a folder of as many bytes as the limit, and no larger one', () => {
    const blob = git(work, 'hash-object', '-w', '--stdin').trim()
    const entryBytes = 4_096
    const nameLength = entryBytes - '100644 '.length - '\0'.length - 20
    const count = BROWSE_LIMITS.tree_bytes.value / entryBytes
    const treeWith = (more: string): string => {
      const names = Array.from({ length: count }, (_, i) => String(i).padStart(nameLength, '0') + (i === 0 ? more : ''))
      const input = names.map((name) => `100644 blob ${blob}\t${name}\n`).join('')
      return gitWith({ input }, work, 'mktree').trim()
    }
    const path = join(work, '.git')
    const atLimit = contents('', treeWith(''), path)
    expect(atLimit.kind === 'directory' && atLimit.entries.length).toBe(count)
    expect(contents('', treeWith('x'), path)).toEqual({ kind: 'refused', code: 'over_limit', limit: 'tree_bytes' })
  })
})

it('ends a page of commits that would be too large, and shows each of them alone', () => {
  const path = join(work, '.git')
  const tree = oidOf('main^{tree}')
  let start = ''
  for (let i = 0; i < 5; i++) {
    const parents = start === '' ? [] : ['-p', start]
    const input = `${i}\n${'m'.repeat(BROWSE_LIMITS.commit_bytes.value - 1_000)}`
    start = gitWith({ input }, work, 'commit-tree', tree, ...parents).trim()
  }
  const limit = 'commit_page_bytes'
  expect(commits({ start, repositoryPath: path, count: 5 })).toEqual({ kind: 'refused', code: 'over_limit', limit })
  for (let skip = 0; skip < 5; skip++) {
    expect(listed(commits({ start, repositoryPath: path, skip, count: 1 }))).toHaveLength(1)
  }
  const input = 'm'.repeat(BROWSE_LIMITS.commit_bytes.value)
  const large = gitWith({ input }, work, 'commit-tree', tree).trim()
  const refused = { kind: 'refused', code: 'over_limit', limit: 'commit_bytes' }
  expect(commits({ start: large, repositoryPath: path })).toEqual(refused)
})
