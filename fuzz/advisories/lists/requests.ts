/** Lines, requests of fetches and pushes, names of refs, patterns. */
import { blob, pack, whole } from '../../../integration/support/pack-maker.ts'
import { DELIM, FLUSH } from '../../../src/git/pkt-line.ts'
import { type Advisory, all } from '../advisory.ts'
import { lines, NO_OID, OID, text } from '../makers.ts'

const v2 = (command: string, said: readonly string[]) =>
  Buffer.concat([lines(`command=${command}`), DELIM, ...said.map((line) => lines(line)), FLUSH])
const aPack = () => pack([whole(blob('x'))])
const create = (ref: string, capabilities = 'report-status') => `${NO_OID} ${OID} ${ref}\0${capabilities}\n`

export const REQUESTS: readonly Advisory[] = [
  {
    name: 'CVE-2016-10128',
    of: ['libgit2'],
    defect: 'a length that is smaller than itself was taken off what is left, which then came around',
    inputs: all('pktLines', 'pkt_length_invalid', {
      'a length of 3': () => text('0003'),
      'behind a whole line': () => Buffer.concat([lines('x'), text('0003abcd')]),
    }),
  },
  {
    name: 'CVE-2016-10129',
    of: ['libgit2'],
    defect: 'an empty line left a pointer to a line that there is none of',
    inputs: {
      ...all('pktLines', 'accepted', { 'an empty line': () => text('0004') }),
      ...all('fetch', 'line_unexpected', { 'instead of a want': () => text('00040000') }),
      ...all('push', 'line_unexpected', { 'instead of a command': () => text('00040000') }),
    },
  },
  {
    name: 'CVE-2018-15501',
    of: ['libgit2'],
    defect: 'the space behind a word was looked for beyond the end of a line that has none',
    inputs: {
      ...all('push', 'line_unexpected', {
        'one word': () => Buffer.concat([lines('ng'), FLUSH]),
        'two ids and no name': () => Buffer.concat([lines(`${NO_OID} ${OID}`), FLUSH]),
        'two ids and a space': () => Buffer.concat([lines(`${NO_OID} ${OID} `), FLUSH]),
      }),
      ...all('fetch', 'line_unexpected', { 'a want of nothing': () => Buffer.concat([lines('want '), FLUSH]) }),
    },
  },
  {
    name: 'libgit2/libgit2#4704',
    of: ['libgit2'],
    defect: 'a pack where a line should be was found again and again, and never passed',
    inputs: all('push', 'pkt_length_invalid', {
      'no flush before it': () => Buffer.concat([lines(create('refs/heads/a')), aPack()]),
      'instead of commands': () => aPack(),
    }),
  },
  {
    name: 'go-git/go-git#856',
    of: ['go-git'],
    defect: 'lines of less than three letters ran decoders out of their slices, which fuzzing found',
    inputs: {
      ...all('fetch', 'line_unexpected', { 'two letters': () => text('000600') }),
      ...all('fetchV2', 'line_unexpected', { 'one letter': () => text('0005x0000') }),
      ...all('push', 'line_unexpected', { 'two letters': () => text('0006xx0000') }),
    },
  },
  {
    name: 'go-git/go-git#554',
    of: ['go-git'],
    defect: 'a client that is up to date says a flush and no more, and was told that it is malformed',
    inputs: {
      ...all('fetch', 'accepted', { 'a flush': () => FLUSH }),
      ...all('fetchV2', 'accepted', { 'a flush': () => FLUSH }),
      ...all('push', 'accepted', { 'a flush': () => FLUSH }),
    },
  },
  {
    name: 'go-git/go-git#1220',
    of: ['go-git'],
    defect: 'lengths in capitals, which the format allows, were refused',
    inputs: all('pktLines', 'accepted', {
      capitals: () => text('001E# service=git-upload-pack\n'),
      'both kinds': () => Buffer.concat([text('00aB'), Buffer.alloc(0xab - 4, 'x')]),
    }),
  },
  {
    name: 'git aa962fef27',
    of: ['git'],
    defect: 'a capability that comes twice was read for ever',
    inputs: {
      ...all('capabilities', 'accepted', {
        'two symrefs': () => text('symref=HEAD:refs/heads/a symref=refs/heads/b:refs/heads/c agent=git/2'),
        'one of no name': () => text('=a =b = agent'),
      }),
      ...all('fetch', 'accepted', {
        'in a want': () => Buffer.concat([lines(`want ${OID} agent=a agent=b agent=c\n`), FLUSH, lines('done\n')]),
      }),
    },
  },
  {
    name: 'git jk/reduce-malloc-in-v2-servers',
    of: ['git'],
    defect: 'memory for whatever a client says in version 2 was kept, and commands with values were taken',
    inputs: {
      ...all('fetchV2', 'accepted', {
        'more prefixes than are kept': () =>
          v2(
            'ls-refs',
            Array.from({ length: 65_537 }, (_, at) => `ref-prefix ${at}`),
          ),
      }),
      ...all('fetchV2', 'line_unexpected', {
        'two commands': () => Buffer.concat([lines('command=fetch', 'command=ls-refs'), FLUSH]),
        'a capability that nobody offered': () => Buffer.concat([lines('command=fetch', 'nonsense=1'), FLUSH]),
        'thousands of capabilities': () =>
          Buffer.concat([lines(...Array.from({ length: 1_001 }, () => 'agent=x')), FLUSH]),
      }),
      ...all('fetchV2', 'feature_unsupported', {
        'a command with a value': () => Buffer.concat([lines('command=ls-refs=foo'), FLUSH]),
      }),
      ...all('fetchV2', 'over_limit', {
        'very many wants': () =>
          v2(
            'fetch',
            Array.from({ length: 65 }, () => `want ${OID}`),
          ),
      }),
    },
  },
  {
    name: 'git 1f2e05f0b7',
    of: ['git'],
    defect: 'a pattern of many stars took time that doubles with each of them',
    inputs: all('sparse', 'accepted', {
      'sixteen stars': () => Buffer.concat([text('*a'.repeat(16)), Buffer.of(0xff), text(`${'a'.repeat(39)}b`)]),
      'of two stars each': () =>
        Buffer.concat([text(`${'**/a/'.repeat(12)}b`), Buffer.of(0xff), text(`${'a/'.repeat(40)}c`)]),
    }),
  },
  {
    name: 'CVE-2024-35197',
    of: ['gitoxide'],
    defect:
      'refs and files named as devices of Windows opened those (GHSA-49jc-r788-3fc9): here they are names as any other',
    inputs: all('refName', 'accepted', {
      console: () => text('refs/heads/CON'),
      'a port': () => text('refs/heads/COM1'),
    }),
  },
  {
    name: 'git t1430',
    of: ['git'],
    defect: 'refs with names that lead out of `refs/` or that no file can have were made, and could not be deleted',
    inputs: {
      ...all('refName', 'ref_refused', {
        'a name that climbs': () => text('refs/heads/../../config'),
        'a folder above': () => text('refs/..'),
        'a name of one part': () => text('HEAD'),
        'a lock': () => text('refs/heads/main.lock'),
        'a component that begins with a dot': () => text('refs/heads/.git'),
        'a control character': () => text('refs/heads/a\x1bb'),
      }),
      ...all('push', 'ref_refused', {
        'in a push': () => Buffer.concat([lines(create('refs/heads/../../config')), FLUSH, aPack()]),
      }),
    },
  },
]
