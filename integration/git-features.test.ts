/** Parts of the protocol that git's client seldom uses, or not at all: answered as C git's server answers them. */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeHistory, step } from './scenarios/scenario.ts'
import { fsck, Git, temporaryFolder } from './support/git.ts'
import { NodeHost, TwinHost } from './support/hosts.ts'
import { NodeProcess } from './support/node-process.ts'
import { DELIM } from '../src/git/pkt-line.ts'
import { FLUSH, NO_OID, pkt } from './support/wire.ts'

const PATIENCE = { timeout: 10_000, interval: 50 }

let node: NodeProcess
let guts: NodeHost
let twin: TwinHost
let work: Git
/** Of the same repository at both. */
let urls: { readonly guts: string; readonly twin: string }
const folder = temporaryFolder('features')

beforeAll(async () => {
  node = await NodeProcess.start({ environment: { GUTS_MAX_WANTS: '20', GUTS_MAX_PUSH_COMMANDS: '10' } })
  guts = await NodeHost.on(node)
  twin = await TwinHost.start()
  mkdirSync(join(folder.path, 'work'))
  work = new Git(join(folder.path, 'work'))
  await makeHistory(work)
  urls = { guts: (await guts.create('site')).url, twin: (await twin.create('site')).url }
  for (const url of Object.values(urls)) await work.run('push', '--quiet', '--mirror', url)
})
afterAll(async () => {
  await twin[Symbol.asyncDispose]()
  await node[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

/** A request of protocol 2. @returns the bytes of the answer */
async function command(
  url: string,
  name: string,
  lines: readonly string[],
  { capabilities = [], isZipped = false }: { capabilities?: readonly string[]; isZipped?: boolean } = {},
): Promise<Buffer> {
  const text = (line: string): Buffer => pkt(`${line}\n`)
  const head = [`command=${name}`, ...capabilities].map(text)
  const body = Buffer.concat([...head, DELIM, ...lines.map(text), FLUSH])
  const { origin, pathname, username, password } = new URL(url)
  const credentials = Buffer.from(`${username}:${password}`).toString('base64')
  const response = await fetch(`${origin}${pathname}/git-upload-pack`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-git-upload-pack-request',
      'git-protocol': 'version=2',
      ...(username !== '' && { authorization: `Basic ${credentials}` }),
      ...(isZipped && { 'content-encoding': 'gzip' }),
    },
    body: isZipped ? gzipSync(body) : body,
  })
  expect(response.status).toBe(200)
  return Buffer.from(await response.arrayBuffer())
}

describe('object-info', () => {
  const names = ['HEAD', 'v1-again', 'main^{tree}', 'main:a/large.bin', 'main:a/b/c/deep.txt', 'main~4:a/b/c/deep.txt']
  const oids = async (): Promise<string[]> => (await work.run('rev-parse', ...names)).split('\n')

  it.each([
    { name: 'sizes of every kind of object', lines: (all: string[]) => ['size', ...all.map((oid) => `oid ${oid}`)] },
    { name: 'one size, asked last', lines: ([first]: string[]) => [`oid ${first}`, 'size'] },
    { name: 'the same object twice', lines: ([first]: string[]) => ['size', `oid ${first}`, `oid ${first}`] },
    { name: 'an object that is not here', lines: ([first]: string[]) => ['size', `oid ${NO_OID}`, `oid ${first}`] },
    { name: 'nothing', lines: () => [] },
    { name: 'sizes of nothing', lines: () => ['size'] },
  ])('$name, byte for byte', async ({ lines }) => {
    const asked = lines(await oids())
    const [ours, theirs] = await Promise.all([urls.guts, urls.twin].map((url) => command(url, 'object-info', asked)))
    expect(ours?.toString()).toBe(theirs?.toString())
  })

  // What C git says then depends on what its memory holds (cap_object_info of protocol-caps.c).
  it('names alone where no size is asked for', async () => {
    const [oid] = await oids()
    expect((await command(urls.guts, 'object-info', [`oid ${oid}`])).toString()).toBe(`002c${oid}0000`)
  })

  it('is refused beyond its limit, by name and number, and served at it', async () => {
    const [oid] = await oids()
    const ask = async (count: number): Promise<string> =>
      (
        await command(urls.guts, 'object-info', ['size', ...Array.from({ length: count }, () => `oid ${oid}`)])
      ).toString()
    expect((await ask(20)).split(`${oid} `)).toHaveLength(21)
    expect(await ask(21)).toContain('ERR upload-pack: Too many objects; the limit (max_wants) is 20')
  })

  it.each(['contents', 'oid 12', 'oid'])('"%s" is refused', async (line) => {
    expect((await command(urls.guts, 'object-info', [line])).toString()).toMatch(/^[0-9a-f]{4}ERR upload-pack: /)
  })
})

describe('sideband-all', () => {
  it.each([
    { name: 'a round of negotiation', lines: (main: string) => [`want ${main}`, `have ${NO_OID}`] },
    { name: 'a round that is ready', lines: (main: string) => [`want ${main}`, `have ${main}`, 'wait-for-done'] },
    { name: 'where history ends', lines: (main: string) => [`want ${main}`, 'deepen 1', `have ${NO_OID}`] },
  ])('$name, byte for byte', async ({ lines }) => {
    const asked = ['sideband-all', ...lines(await work.run('rev-parse', 'main'))]
    const [ours, theirs] = await Promise.all([urls.guts, urls.twin].map((url) => command(url, 'fetch', asked)))
    expect(ours?.toString()).toBe(theirs?.toString())
  })

  it('an error comes in its band', async () => {
    const asked = ['sideband-all', `want ${'1'.repeat(40)}`, 'done']
    const [ours, theirs] = await Promise.all([urls.guts, urls.twin].map((url) => command(url, 'fetch', asked)))
    expect(ours?.toString()).toBe(theirs?.toString())
  })

  it("is what git's client asks for", async () => {
    const trace = join(folder.path, 'sideband.trace')
    const git = new Git(folder.path, ['-c', 'protocol.version=2'], { GIT_TRACE_PACKET: trace })
    await git.run('clone', '--quiet', urls.guts, 'in-bands')
    expect(readFileSync(trace, 'utf8')).toMatch(/< sideband-all\n[^]*< \\1packfile\n/)
    expect(await git.in('in-bands').run('rev-parse', 'HEAD')).toBe(await work.run('rev-parse', 'main'))
  })
})

describe('a fetch that wants nothing', () => {
  it.each([
    { name: 'and says nothing', lines: () => [] },
    { name: 'and says what it has', lines: (main: string) => [`have ${main}`, 'done'] },
    {
      name: 'and asks what of that is here',
      lines: (main: string) => ['wait-for-done', `have ${'1'.repeat(40)}`, `have ${main}`],
    },
    { name: 'and asks in vain', lines: () => ['wait-for-done', `have ${'1'.repeat(40)}`] },
  ])('$name, byte for byte', async ({ lines }) => {
    const asked = lines(await work.run('rev-parse', 'main'))
    const [ours, theirs] = await Promise.all([urls.guts, urls.twin].map((url) => command(url, 'fetch', asked)))
    expect(ours?.toString()).toBe(theirs?.toString())
  })

  it('is how git finds out what a push need not send (push.negotiate, fetch --negotiate-only)', async () => {
    await step(work, 'not pushed yet', { 'negotiated.txt': 'what only the client has\n' })
    const tips = ['--negotiate-only', '--negotiation-tip=HEAD']
    const [ours, theirs] = await Promise.all(
      [urls.guts, urls.twin].map((url) => work.run('-c', 'protocol.version=2', 'fetch', ...tips, url)),
    )
    expect(ours).toBe(theirs)
    expect(ours?.split('\n')).toContain(await work.run('rev-parse', 'HEAD~1'))
  })
})

describe('push options', () => {
  it.each(['0', '1', '2'])('are taken, in protocol %s', async (version) => {
    const git = new Git(work.folder, ['-c', `protocol.version=${version}`])
    await step(work, `options ${version}`, { 'options.txt': `${version}\n` })
    const options = ['-o', 'ci.skip', '-o', 'topic=with a blank']
    const said = await git.try(['push', '--porcelain', ...options, urls.guts, 'HEAD:refs/heads/options'])
    expect(said).toMatchObject({ code: 0 })
    expect(await git.run('ls-remote', urls.guts, 'refs/heads/options')).toContain(await work.run('rev-parse', 'HEAD'))
    await fsck(guts.gitDirectory('site'))
  })

  it('are counted in the access line, and say nothing else there', async () => {
    await work.run('push', '-o', 'a=SECRET-OPTION', urls.guts, 'HEAD:refs/heads/counted')
    await expect.poll(() => node.lines().filter((line) => line['push_options'] === 1), PATIENCE).toHaveLength(1)
    expect(JSON.stringify(node.lines())).not.toContain('SECRET-OPTION')
  })

  it('are refused beyond their limit, by name and number', async () => {
    const options = (count: number): string[] => Array.from({ length: count }, (_, at) => ['-o', `${at}`]).flat()
    expect(await work.try(['push', ...options(10), urls.guts, 'HEAD:refs/heads/ten'])).toMatchObject({ code: 0 })
    const refused = await work.try(['push', ...options(11), urls.guts, 'HEAD:refs/heads/eleven'])
    expect(refused.code).not.toBe(0)
    expect(refused.stderr).toContain('Too many push options; the limit (max_push_commands) is 10')
  })
})

describe('the same words, asked again and again', () => {
  const numberOfObjects = (answer: Buffer): number => answer.readUInt32BE(answer.indexOf('PACK') + 8)

  it('are answered by the refs as they are, and for each repository by its own', async () => {
    const main = await work.run('rev-parse', 'main')
    await work.run('tag', '--annotate', '--message=again', 'again', 'main')
    const at = async (name: string): Promise<string[]> => [(await guts.create(name)).url, (await twin.create(name)).url]
    const [plain, tagged] = [await at('asked'), await at('asked-tagged')]
    const push = async (hosts: readonly string[], ...refs: readonly string[]): Promise<void> => {
      for (const url of hosts) await work.run('push', '--quiet', '--force', url, ...refs)
    }
    const ask = (hosts: readonly string[], ...words: readonly string[]): Promise<Buffer[]> =>
      Promise.all(hosts.map((url) => command(url, 'fetch', [...words, 'done'])))
    const expectObjects = async (hosts: readonly string[], count: number): Promise<void> => {
      for (let asked = 0; asked < 3; asked++) {
        const answers = await ask(hosts, 'no-progress', 'include-tag', 'ofs-delta', `want ${main}`)
        expect(answers.map(numberOfObjects)).toEqual([count, count])
      }
    }
    const count = Number(await work.run('rev-list', '--objects', '--count', main))
    await push(plain, 'main')
    await push(tagged, 'main', 'again')
    await expectObjects(plain, count)
    await expectObjects(tagged, count + 1)
    await push(plain, 'again')
    await expectObjects(plain, count + 1)
    await push(plain, ':again')
    await expectObjects(plain, count)
    for (const ref of ['main', 'main~1', 'main']) {
      const oid = await work.run('rev-parse', ref)
      await push(plain, `${oid}:refs/heads/moves`)
      for (let asked = 0; asked < 3; asked++) {
        const [answer] = await ask(plain.slice(0, 1), 'want-ref refs/heads/moves')
        expect(answer?.toString('latin1')).toContain(`${oid} refs/heads/moves\n`)
      }
    }
  })
})

it('of an object that an operator has pruned says that it is no ref of ours', async () => {
  const { url, gitDirectory } = await guts.create('pruned')
  await work.run('push', '--quiet', url, 'main')
  const oid = await work.run('commit-tree', '-m', 'goes', 'main^{tree}')
  await work.run('push', '--quiet', url, `${oid}:refs/heads/goes`)
  await work.run('push', '--quiet', url, ':refs/heads/goes')
  const ask = async (...words: readonly string[]): Promise<string> =>
    (await command(url, 'fetch', [...words, `want ${oid}`, 'done'])).toString('latin1')
  expect((await ask()).includes('PACK')).toBe(true)
  await new Git(gitDirectory).run('gc', '--quiet', '--prune=now')
  // Another pack than before, which would be remembered.
  expect(await ask('ofs-delta')).toContain(`ERR upload-pack: not our ref ${oid}`)
  expect(node.lines().filter(({ level }) => level === 'error')).toEqual([])
})

describe('the same words, asked in one piece and compressed', () => {
  const MORE = [
    [],
    ['include-tag', 'thin-pack', 'ofs-delta', 'no-progress'],
    ['sideband-all'],
    ['sideband-all', 'filter sparse:oid=main:nothere'],
    ['filter sparse:oid=main:nothere'],
    ['filter blob:none'],
    ['deepen 1'],
    ['deepen-not v1'],
    ['have SIDE'],
    ['have SIDE', 'wait-for-done'],
    ['shallow SIDE', 'deepen 1'],
    ['want-ref refs/heads/main'],
    ['want-ref refs/heads/nothere'],
    ['want 1111111111111111111111111111111111111111'],
    ['nonsense'],
  ]

  // What comes compressed is never known by its words.
  it.each(MORE.map((more) => ({ more, what: more.join(', ') })))('are answered alike: $what', async ({ more }) => {
    const [main = '', side = ''] = (await work.run('rev-parse', 'main', 'main~2')).split('\n')
    const lines = [`want ${main}`, ...more.map((line) => line.replace('SIDE', side)), 'done']
    const zipped = await command(urls.guts, 'fetch', lines, { isZipped: true })
    for (let asked = 0; asked < 3; asked++) expect(await command(urls.guts, 'fetch', lines)).toEqual(zipped)
  })

  it('and each who says which process it is stands in its access line', async () => {
    const capabilities = ['session-id=20261130T030010.123456Z-H0123abcd-P0000abcd']
    const lines = [`want ${await work.run('rev-parse', 'main')}`, 'done']
    for (let asked = 0; asked < 3; asked++) await command(urls.guts, 'fetch', lines, { capabilities })
    const named = (): unknown[] =>
      node.lines().filter((line) => line['client_session_id'] === capabilities[0]?.slice(11))
    await expect.poll(named, PATIENCE).toHaveLength(3)
  })
})

describe('session-id', () => {
  it.each(['0', '2'])("is told to git, and git's own stands in the access line, in protocol %s", async (version) => {
    const [packets, events] = ['packets', 'events'].map((name) => join(folder.path, `session-${version}.${name}`))
    const options = ['-c', `protocol.version=${version}`, '-c', 'transfer.advertiseSID=true']
    const git = new Git(folder.path, options, { GIT_TRACE_PACKET: packets ?? '', GIT_TRACE2_EVENT: events ?? '' })
    await git.run('clone', '--quiet', urls.guts, `session-${version}`)
    await git.run('-C', `session-${version}`, 'push', '--quiet', urls.guts, `HEAD:refs/heads/session-${version}`)
    const started = node.lines().find((line) => line['msg'] === 'Started')
    expect(readFileSync(packets ?? '', 'utf8')).toContain(`session-id=${String(started?.['session_id'])}`)
    const lines = readFileSync(events ?? '', 'utf8')
      .trim()
      .split('\n')
    const sids = new Set(lines.map((line) => (JSON.parse(line) as { sid: string }).sid))
    for (const service of ['git-upload-pack', 'git-receive-pack']) {
      const isTheirs = (line: Record<string, unknown>): boolean =>
        line['git_service'] === service && sids.has(String(line['client_session_id']))
      await expect.poll(() => node.lines().some(isTheirs), PATIENCE).toBe(true)
    }
  })

  it('that is none is left out, and nothing is refused for it', async () => {
    const body = Buffer.concat([pkt('command=ls-refs\n'), pkt('session-id=guts_pat_secret\n'), DELIM, FLUSH])
    const { origin, pathname, username, password } = new URL(urls.guts)
    const response = await fetch(`${origin}${pathname}/git-upload-pack`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-git-upload-pack-request',
        'git-protocol': 'version=2',
        authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
      },
      body,
    })
    expect(await response.text()).toContain('refs/heads/main')
    expect(
      node
        .lines()
        .filter((line) => 'client_session_id' in line && String(line['client_session_id']).includes('secret')),
    ).toEqual([])
  })
})
