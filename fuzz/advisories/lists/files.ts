/** Files that git itself reads out of trees, and the people and times in commits and tags. */
import { type Advisory, all } from '../advisory.ts'
import { NO_OID, OID, text, TREE_OID } from '../makers.ts'

const submodule = (...settings: readonly string[]) => text(`[submodule "lib"]\n\t${settings.join('\n\t')}\n`)
const named = (name: string) => text(`[submodule "${name}"]\n\tpath = lib\n\turl = https://example.org/lib\n`)
const WHO = 'A <a@example.org> 1600000000 +0000'
const commitBy = (who: string) => text(`tree ${TREE_OID}\nauthor ${who}\ncommitter ${WHO}\n\nm\n`)

export const FILES: readonly Advisory[] = [
  {
    name: 'CVE-2018-11235',
    of: ['git', 'libgit2', 'JGit'],
    defect: "a submodule's name became a path below `.git/modules` without a look at what it climbs over",
    inputs: all('gitmodules', 'gitmodulesName', {
      'a name that climbs': () => named('../../modules/evil'),
      'with backslashes': () => named('..\\\\..\\\\evil'),
      'in the middle': () => named('a/../b'),
    }),
  },
  {
    name: 'CVE-2018-17456',
    of: ['git', 'JGit'],
    defect: "a submodule's URL that begins with a dash was an option to `git clone`",
    inputs: {
      ...all('gitmodules', 'gitmodulesUrl', { 'a URL': () => submodule('path = lib', 'url = -u./payload') }),
      ...all('gitmodules', 'gitmodulesPath', { 'a path': () => submodule('path = -x', 'url = https://example.org/a') }),
    },
  },
  {
    name: 'CVE-2019-19604',
    of: ['git'],
    defect: 'a command that `.gitmodules` gives for updates was run by `git submodule update`',
    inputs: all('gitmodules', 'gitmodulesUpdate', { 'a command': () => submodule('update = !touch /tmp/pwned') }),
  },
  {
    name: 'CVE-2020-5260',
    of: ['git'],
    defect:
      "a line feed in a URL wrote another host into what a credential helper is asked for, which gave that host's password",
    inputs: all('gitmodules', 'gitmodulesUrl', {
      'in the host': () => submodule('url = https://evil.example%0ahost=github.com/a'),
      'in a URL that is appended to another': () => submodule('url = ./%0ahost=github.com'),
      'in a user': () => submodule('url = https://a%0ab@example.org/a'),
    }),
  },
  {
    name: 'CVE-2020-11008',
    of: ['git'],
    defect: 'a URL without a host or scheme had credential helpers give the password of any host',
    inputs: all('gitmodules', 'gitmodulesUrl', {
      'no host': () => submodule('url = https:///example.org/a'),
      'no scheme': () => submodule('url = http::example.org/a'),
      'a relative URL that climbs over the host': () => submodule('url = ../../../../:localhost/a'),
    }),
  },
  {
    name: 'CVE-2022-23521',
    of: ['git'],
    defect:
      'lengths of lines and numbers of attributes in `.gitattributes` overflowed an `int`, and were written beyond the heap',
    inputs: {
      ...all('gitattributes', 'gitattributesLineLength', {
        'a pattern of 2,048 bytes': () => text(`${'a'.repeat(2_048)} text\n`),
        'very many attributes in a line': () => text(`* ${'a '.repeat(2_000)}\n`),
      }),
      ...all('gitattributes', 'accepted', { 'as long as it may be': () => text(`${'a'.repeat(2_047)}\n`) }),
    },
  },
  {
    name: 'CVE-2023-29007',
    of: ['git'],
    defect: 'a setting of more than 1,024 letters was read as two lines, of which the second could begin a section',
    inputs: {
      ...all('gitmodules', 'accepted', {
        'a long URL with a section in it': () =>
          submodule(`url = https://example.org/${'a'.repeat(1_100)}[core]`, 'path = lib'),
      }),
      ...all('gitmodules', 'gitmodulesUpdate', {
        'a command behind a long URL': () => submodule(`url = https://example.org/${'a'.repeat(1_100)}`, 'update = !x'),
      }),
    },
  },
  {
    name: 'libgit2 v0.27.6',
    of: ['libgit2'],
    defect:
      'the message of a tag was looked for beyond the end of one that has none, and numbers beyond the end of theirs',
    inputs: {
      ...all('tag', 'accepted', {
        'no message': () => text(`object ${OID}\ntype commit\ntag v1\ntagger ${WHO}\n`),
        'an empty one': () => text(`object ${OID}\ntype commit\ntag v1\ntagger ${WHO}\n\n`),
      }),
      ...all('tag', 'unterminatedHeader', {
        'a line without its end': () => text(`object ${OID}\ntype commit\ntag v1\ntagger ${WHO}`),
      }),
    },
  },
  {
    name: 'libgit2/libgit2#1263',
    of: ['libgit2'],
    defect: 'a date after 2038 made a commit unreadable, as it was read into 32 bits',
    inputs: {
      ...all('commit', 'accepted', {
        'in 2050': () => commitBy('A <a@example.org> 2524608000 +0000'),
        'after 2106': () => commitBy('A <a@example.org> 4294967296 +0000'),
      }),
      ...all('commit', 'badDateOverflow', {
        'beyond 64 bits': () => commitBy('A <a@example.org> 18446744073709551616 +0000'),
      }),
    },
  },
  {
    name: 'GitoxideLabs/gitoxide#1367',
    of: ['gitoxide', 'libgit2', 'dulwich'],
    defect: 'a time zone that no clock has crashed who wrote it again (also #950, #1322 and libgit2#1631)',
    inputs: all('commit', 'badTimezone', {
      'six digits': () => commitBy('A <a@example.org> 1312735823 +051800'),
      'two signs': () => commitBy('A <a@example.org> 1288373970 --700'),
      none: () => commitBy('A <a@example.org> 1288373970 '),
    }),
  },
  {
    name: 'CVE-2016-8569',
    of: ['libgit2'],
    defect: 'a commit that lacks what every commit has was read through a null pointer',
    inputs: {
      ...all('commit', 'missingTree', { 'nothing at all': () => text('\n\n') }),
      ...all('commit', 'missingAuthor', { 'a tree alone': () => text(`tree ${TREE_OID}\n\n`) }),
      ...all('commit', 'badTreeSha1', { 'a tree of no digits': () => text(`tree ${'z'.repeat(40)}\n\n`) }),
      ...all('commit', 'badParentSha1', {
        'a parent of few digits': () => text(`tree ${TREE_OID}\nparent ${NO_OID.slice(1)}\nauthor ${WHO}\n\n`),
      }),
    },
  },
]
