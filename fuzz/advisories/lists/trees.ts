/** Trees, and how many paths they make. */
import { type Advisory, all } from '../advisory.ts'
import { bomb, entry, file } from '../makers.ts'

/** What HFS+ ignores: a zero-width non-joiner. */
const IGNORED = '\u200c'
const GIT = Buffer.from('.git')

export const TREES: readonly Advisory[] = [
  {
    name: 'CVE-2014-9390',
    of: ['git', 'libgit2', 'JGit'],
    defect: 'names that HFS+ or NTFS take for `.git` were checked out into it, hooks and configuration included',
    inputs: all('tree', 'hasDotgit', {
      'in capitals': () => entry('40000', '.GIT'),
      'with a letter that HFS+ ignores': () => entry('40000', `.g${IGNORED}it`),
      'by its short name': () => entry('40000', 'git~1'),
    }),
  },
  {
    name: 'CVE-2014-9706',
    of: ['dulwich'],
    defect: 'an entry named `.git` was written to the working tree as any other',
    inputs: all('tree', 'hasDotgit', {
      'a folder': () => entry('40000', '.git'),
      'behind another entry': () => Buffer.concat([file('.a'), entry('40000', GIT)]),
    }),
  },
  {
    name: 'CVE-2016-2315',
    of: ['git'],
    defect:
      'lengths of paths were added in an `int` and copied with strcpy, which wrote beyond the heap (with CVE-2016-2324)',
    inputs: {
      ...all('tree', 'accepted', { 'a name of 60 KB': () => file('n'.repeat(60_000)) }),
      ...all('history', 'accepted', { 'trees in trees, 3,000 of them': () => bomb(3_000, 1) }),
    },
  },
  {
    name: 'CVE-2016-8568',
    of: ['libgit2'],
    defect: 'the id of an entry was printed from beyond the end of a tree that is cut off (libgit2#3936)',
    inputs: all('tree', 'badTree', {
      'no id': () => Buffer.from('100644 a\0'),
      'a part of an id': () => file('a').subarray(0, -16),
      'an id of the second entry that is cut off': () => Buffer.concat([file('a'), file('b')]).subarray(0, -1),
    }),
  },
  {
    name: 'CVE-2017-15298',
    of: ['git'],
    defect: 'ten trees that name each other ten times are ten thousand million paths, and were walked as so many',
    inputs: all('history', 'accepted', { 'ten layers of ten': () => bomb(10, 10) }),
  },
  {
    name: 'CVE-2018-11233',
    of: ['git'],
    defect: 'the check for names that NTFS takes for `.git` read beyond the end of short ones',
    inputs: all('tree', 'accepted', {
      'a beginning': () => file('.gi'),
      'a short name without its digit': () => file('git~'),
      'a short name of a special file, cut off': () => file('gi7eba~'),
      'a special file, cut off': () => file('.gitmodule'),
      'one letter': () => file('g'),
    }),
  },
  {
    name: 'CVE-2019-1352',
    of: ['git', 'libgit2'],
    defect: 'NTFS names `.git` by its default stream, too (in libgit2 CVE-2020-12278)',
    inputs: all('tree', 'hasDotgit', {
      'the stream of a folder': () => entry('40000', '.git::$INDEX_ALLOCATION'),
      'the stream of a short name': () => entry('40000', 'git~1:x'),
    }),
  },
  {
    name: 'CVE-2019-1353',
    of: ['git', 'libgit2'],
    defect:
      'short names of NTFS were only looked for on Windows, and an NTFS is mounted elsewhere (in libgit2 CVE-2020-12279)',
    inputs: {
      ...all('tree', 'hasDotgit', { 'in capitals, with dots behind it': () => entry('40000', 'GIT~1..') }),
      ...all('tree', 'gitmodulesSymlink', { 'a link that is .gitmodules': () => entry('120000', 'GITMOD~1') }),
    },
  },
  {
    name: 'CVE-2019-1354',
    of: ['git'],
    defect: 'a backslash in a name of an entry parts folders on Windows, so it may lead into `.git`',
    inputs: all('tree', 'hasDotgit', {
      'a folder before it': () => file('a\\.git\\config'),
      'a short name behind it': () => file('a\\git~1'),
    }),
  },
  {
    name: 'CVE-2021-30483',
    of: ['isomorphic-git'],
    defect: 'names of entries that climb were written outside of the working tree',
    inputs: {
      ...all('tree', 'fullPathname', { 'a name with slashes': () => file('../../escaped') }),
      ...all('tree', 'hasDotdot', { 'a folder': () => entry('40000', '..') }),
    },
  },
  {
    name: 'CVE-2023-49569',
    of: ['go-git'],
    defect: 'names of entries that climb were written outside of the working tree (GHSA-449p-3h89-pw88)',
    inputs: {
      ...all('tree', 'hasDotdot', { 'a link': () => entry('120000', '..') }),
      ...all('tree', 'hasDot', { 'the folder itself': () => entry('40000', '.') }),
      ...all('tree', 'fullPathname', { 'a path from the root': () => file('/etc/cron.d/x') }),
    },
  },
  {
    name: 'CVE-2024-35186',
    of: ['gitoxide'],
    defect: 'no name of an entry was refused on checkout, neither those that climb nor `.git` (GHSA-7w47-3wg8-547c)',
    inputs: {
      ...all('tree', 'hasDotdot', { 'what climbs': () => Buffer.concat([entry('40000', '..'), file('a')]) }),
      ...all('tree', 'hasDotgit', { 'a file .git': () => file('.git') }),
      ...all('tree', 'fullPathname', { 'a name that ends with a slash': () => file('a/') }),
    },
  },
  {
    name: 'CVE-2026-44471',
    of: ['gitoxide'],
    defect: 'a link and a folder of one name in a tree had files written through the link (GHSA-f89h-2fjh-2r9q)',
    inputs: all('tree', 'duplicateEntries', {
      'one after the other': () => Buffer.concat([entry('120000', 'a'), entry('40000', 'a')]),
      'with an entry between them': () => Buffer.concat([entry('120000', 'a'), file('a.b'), entry('40000', 'a')]),
    }),
  },
  {
    name: 'JGit 42d7565ba9',
    of: ['JGit'],
    defect: 'names of entries that are no names of files (`.`, `..`, `.git` in any case, paths) were checked out',
    inputs: {
      ...all('tree', 'hasDotgit', { 'in mixed case': () => entry('40000', '.gIt') }),
      ...all('tree', 'hasDot', { 'the folder itself': () => entry('40000', '.') }),
      ...all('tree', 'hasDotdot', { 'the folder above': () => file('..') }),
      ...all('tree', 'fullPathname', { 'a path': () => file('a/b') }),
      ...all('tree', 'badTree', { 'no name at all': () => file('') }),
    },
  },
]
