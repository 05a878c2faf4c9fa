/** What we say is what C git says to the same question. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Git, temporaryFolder } from '../../../integration/support/git.ts'
import { importHistory } from '../../../integration/support/history.ts'
import { decodePktLine, DELIM, encodePktLine, FLUSH } from '../pkt-line.ts'
import {
  type AdvertisedRef,
  type AdvertisedRefs,
  encodeAdvertisement,
  encodeLsRefs,
  encodeV2Advertisement,
} from './advertisement.ts'
import { encodeReport } from './report-status.ts'
import { encodeBand, encodeBandText, encodeLinesInBand, framingOf } from './side-band.ts'
import type { LsRefsRequest } from './v2-commands.ts'

const folder = temporaryFolder('answers')
const full = join(folder.path, 'full.git')
const empty = join(folder.path, 'empty.git')

beforeAll(async () => {
  for (const name of ['full.git', 'empty.git']) {
    await new Git(folder.path).run('init', '--quiet', '--bare', '--initial-branch=main', name)
  }
  const history = { seed: 3, commits: 12, filesPerCommit: 1, fileBytes: 100, mergeEvery: 5, tagEvery: 4 }
  await importHistory(full, history)
  const git = new Git(full)
  // A tag of a tag, a tag of a blob, a name that sorts otherwise in UTF-16 than in bytes.
  await git.run('tag', '-m', 'outer', 'outer', 'v4')
  await git.run(
    'tag',
    'blob',
    'main:'.concat((await git.run('ls-tree', '-r', '--name-only', 'main')).split('\n')[0] ?? ''),
  )
  for (const name of ['refs/heads/\u{1f600}', 'refs/heads/\uff5e', 'refs/heads/a-b', 'refs/heads/a.b']) {
    await git.run('update-ref', name, 'main')
  }
})
afterAll(() => folder[Symbol.dispose]())

async function refsOf(repository: string): Promise<AdvertisedRefs> {
  const text = await new Git(repository).run('for-each-ref', '--format=%(refname) %(objectname) %(*objectname)')
  const refs: AdvertisedRef[] = []
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const [name = '', oid = ''] = line.split(' ')
    const peeled = await new Git(repository).run('rev-parse', `${name}^{}`)
    refs.push({ name, oid, peeled: peeled === oid ? null : peeled })
  }
  refs.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
  return { head: 'refs/heads/main', refs, byName: new Map(refs.map((ref) => [ref.name, ref])) }
}

function ask(repository: string, args: readonly string[], version: string, input = Buffer.alloc(0)): Buffer {
  const options = { input, env: { PATH: process.env['PATH'] ?? '', GIT_PROTOCOL: `version=${version}` } }
  return spawnSync('git', [...args, repository], options).stdout
}

function linesOf(bytes: Buffer): string[] {
  const lines: string[] = []
  for (let rest = bytes; rest.length > 0;) {
    const step = decodePktLine(rest)
    if (!step.complete) throw new Error('A line is cut')
    lines.push(step.line.type === 'data' ? step.line.payload.toString() : step.line.type)
    rest = rest.subarray(step.consumedBytes)
  }
  return lines
}

const SPEAKER = { agent: 'guts/1', sessionId: '0199aaaa-0000-7000-8000-000000000000' }

/** Without what each server says of itself. */
const withoutCapabilities = (lines: readonly string[]): string[] => lines.map((line) => line.replace(/\0.*/s, '\n'))

describe('the listing of versions 0 and 1', () => {
  const rows = ['git-upload-pack', 'git-receive-pack'].flatMap((service) =>
    ['0', '1'].flatMap((version) => [full, empty].map((repository) => ({ service, version, repository }))),
  )
  it.each(rows)('$service, version $version, $repository', async ({ service, version, repository }) => {
    const wanted = service === 'git-upload-pack' ? ('git-upload-pack' as const) : ('git-receive-pack' as const)
    const args = [service.slice('git-'.length), '--http-backend-info-refs']
    const theirs = withoutCapabilities(linesOf(ask(repository, args, version)))
    const ours = linesOf(encodeAdvertisement(wanted, version === '1' ? '1' : '0', await refsOf(repository), SPEAKER))
    expect(ours.slice(0, 2)).toEqual([`# service=${service}\n`, 'flush'])
    // Where there is no ref, upload-pack says what it can do from git 2.41 on; the client reads both.
    const isComparable = (line: string): boolean => repository === full || !line.includes('capabilities^{}')
    expect(withoutCapabilities(ours.slice(2)).filter(isComparable)).toEqual(theirs.filter(isComparable))
  })

  it('says only what C git says as well', async () => {
    for (const service of ['upload-pack', 'receive-pack'] as const) {
      const allowed = [
        'uploadpack.allowFilter=true',
        'uploadpack.allowAnySHA1InWant=true',
        'receive.advertiseAtomic=true',
        'receive.advertisePushOptions=true',
        'transfer.advertiseSID=true',
      ]
      const args = [...allowed.flatMap((one) => ['-c', one]), service, '--http-backend-info-refs']
      const capabilities = (lines: readonly string[]): string[] =>
        (lines.find((line) => line.includes('\0')) ?? '')
          .replace(/^[^\0]*\0/, '')
          .trim()
          .split(' ')
      const theirs = capabilities(linesOf(ask(full, args, '0')))
      const ours = capabilities(linesOf(encodeAdvertisement(`git-${service}`, '0', await refsOf(full), SPEAKER)))
      const names = (words: readonly string[]): string[] =>
        words.map((word) => word.replace(/^(agent|session-id)=.*/, '$1'))
      expect(names(ours).filter((word) => !names(theirs).includes(word))).toEqual([])
    }
  })

  it('says what HEAD points to only where that is there', async () => {
    const text = (refs: AdvertisedRefs): string => encodeAdvertisement('git-upload-pack', '0', refs, SPEAKER).toString()
    const refs = await refsOf(full)
    expect(text(refs)).toContain(' symref=HEAD:refs/heads/main ')
    expect(text({ ...refs, head: 'refs/heads/none' })).not.toContain('HEAD')
  })
})

describe('ls-refs', () => {
  const prefixes = [[], ['refs/heads/'], ['refs/tags/v', 'HEAD'], ['HE'], ['refs/heads/\u{1f600}'], ['none'], ['']]
  const flags = [[], ['peel'], ['symrefs'], ['unborn'], ['peel', 'symrefs', 'unborn']]
  const rows = [
    ...prefixes.map((some) => ({ some, given: ['peel', 'symrefs'] })),
    ...flags.map((given) => ({ some: [], given })),
  ]
  it.each(rows)(
    '$given of $some is answered byte for byte alike',
    async ({ some, given }: { some: string[]; given: string[] }) => {
      const body = Buffer.concat([
        encodePktLine('command=ls-refs\n'),
        encodePktLine('object-format=sha1'),
        DELIM,
        ...given.map((word) => encodePktLine(`${word}\n`)),
        ...some.map((prefix) => encodePktLine(`ref-prefix ${prefix}\n`)),
        FLUSH,
      ])
      const has = (word: string): boolean => given.includes(word)
      const asked = {
        command: 'ls-refs',
        peel: has('peel'),
        symrefs: has('symrefs'),
        unborn: has('unborn'),
        prefixes: some,
      }
      for (const repository of [full, empty]) {
        const theirs = ask(repository, ['upload-pack', '--stateless-rpc'], '2', body)
        const ours = encodeLsRefs(await refsOf(repository), asked as LsRefsRequest)
        expect(linesOf(ours)).toEqual(linesOf(theirs))
      }
    },
  )

  it('says in version 2 only what C git says as well', () => {
    const allowed = [
      'uploadpack.allowFilter=true',
      'uploadpack.allowRefInWant=true',
      'uploadpack.allowSidebandAll=true',
      'transfer.advertiseSID=true',
      'transfer.advertiseObjectInfo=true',
    ]
    const args = [...allowed.flatMap((one) => ['-c', one]), 'upload-pack', '--http-backend-info-refs']
    const theirs = linesOf(ask(full, args, '2'))
    const words = new Set(theirs.flatMap((line) => line.trim().split(/[= ]/)))
    const ours = linesOf(encodeV2Advertisement(SPEAKER)).slice(2)
    expect(ours[0]).toBe('version 2\n')
    // wait-for-done of fetch is for the operator to switch on in C git.
    const own = [SPEAKER.agent, SPEAKER.sessionId, 'wait-for-done']
    const all = ours.flatMap((line) => line.trim().split(/[= ]/))
    expect(all.filter((word) => !words.has(word) && !own.includes(word))).toEqual([])
  })
})

describe('side bands', () => {
  it.each([
    { asked: ['side-band', 'side-band-64k'], framing: 'side-band-64k' },
    { asked: ['side-band'], framing: 'side-band' },
    { asked: [], framing: 'none' },
  ])('$asked gives $framing', ({ asked, framing }) => {
    expect(framingOf(new Set(asked))).toBe(framing)
  })

  it.each([
    { framing: 'side-band', frames: [995, 995, 10], lineBytesMax: 1_000 },
    { framing: 'side-band-64k', frames: [2_000], lineBytesMax: 65_520 },
  ] as const)('$framing keeps to its length of a line', ({ framing, frames, lineBytesMax }) => {
    const text = Buffer.alloc(2_000, 'abc')
    const lines = linesOf(encodeBandText('progress', text, framing))
    expect(lines.map((line) => line.length - 1)).toEqual(frames)
    expect(lines.every((line) => line.startsWith('\x02') && line.length + 4 <= lineBytesMax)).toBe(true)
    expect(lines.map((line) => line.slice(1)).join('')).toBe(text.toString())
  })

  it('puts text in, and nothing where there is none', () => {
    expect(encodeBandText('error', 'é', 'side-band').toString()).toBe('0007\x03é')
    expect(encodeBandText('error', '', 'side-band')).toHaveLength(0)
  })

  it('puts whole lines in the band of the pack, and what ends a section beside', () => {
    const lines = Buffer.concat([encodePktLine('a\n'), DELIM, encodePktLine(''), FLUSH])
    expect(encodeLinesInBand(lines).toString()).toBe('0007\x01a\n00010005\x010000')
    expect(encodeLinesInBand(Buffer.alloc(0))).toHaveLength(0)
    expect(() => encodeLinesInBand(lines.subarray(0, -1))).toThrow('the lines are whole')
  })

  it('numbers its bands as git does', () => {
    const bands = (['pack', 'progress', 'error'] as const).map((band) => encodeBand(band, Buffer.from('x')).toString())
    expect(bands).toEqual(['0006\x01x', '0006\x02x', '0006\x03x'])
  })
})

describe('the report of a push', () => {
  const refs = [
    { ref: 'refs/heads/a', refused: undefined },
    { ref: 'refs/heads/b', refused: 'not\nok 1\0' },
  ]

  it('is a list of lines that no reason can break', () => {
    expect(linesOf(encodeReport(undefined, refs, 'none'))).toEqual([
      'unpack ok\n',
      'ok refs/heads/a\n',
      'ng refs/heads/b not ok 1 \n',
      'flush',
    ])
    expect(linesOf(encodeReport('bad\r\npack', [], 'none'))).toEqual(['unpack bad pack\n', 'flush'])
  })

  it('lies in the first band where there are bands, and a flush ends those', () => {
    const lines = linesOf(encodeReport(undefined, refs, 'side-band-64k'))
    expect(lines.pop()).toBe('flush')
    const inner = lines.map((line) => line.slice(1)).join('')
    expect(inner).toBe(encodeReport(undefined, refs, 'none').toString())
  })
})
