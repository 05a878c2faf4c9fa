/** Done-when 2 and 3: the machine's git through every operation, in every protocol, beside a twin that C git serves. */
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OPERATIONS, type Workplace } from './git-operations.ts'
import { contentsOf, fsck, Git, type GitOutcome, temporaryFolder } from './support/git.ts'
import { NodeHost, TwinHost } from './support/hosts.ts'
import { NodeProcess } from './support/node-process.ts'

let node: NodeProcess
let guts: NodeHost
let twin: TwinHost
const folder = temporaryFolder('matrix')

beforeAll(async () => {
  node = await NodeProcess.start({ environment: { GUTS_RATE_LIMIT: '0' } })
  guts = await NodeHost.on(node)
  twin = await TwinHost.start()
})

afterAll(async () => {
  await twin[Symbol.asyncDispose]()
  await node[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

const VERSIONS = ['0', '1', '2'] as const

describe.each(VERSIONS)('protocol.version %s', (version) => {
  const places: Record<string, { place: Workplace; gitDirectory: string }> = {}

  beforeAll(async () => {
    for (const [name, host] of Object.entries({ guts, twin })) {
      const { url, gitDirectory } = await host.create(`matrix-v${version}`)
      const path = join(folder.path, `${name}-v${version}`)
      mkdirSync(path)
      const git = new Git(path, ['-c', `protocol.version=${version}`, '-c', 'init.defaultBranch=main'])
      places[name] = { place: { git, url, version }, gitDirectory }
    }
  })

  it.each(OPERATIONS)('$name', async (operation) => {
    const [ours, theirs] = await Promise.all(
      ['guts', 'twin'].map(async (name) => {
        const { place, gitDirectory } = places[name] as { place: Workplace; gitDirectory: string }
        const told = await operation.run(place)
        return { told: told.map(withoutHost), ...(await contentsOf(gitDirectory)) }
      }),
    )
    expect(ours).toEqual(theirs)
    await fsck((places['guts'] as { gitDirectory: string }).gitDirectory)
  })
})

it('leaves nothing in quarantine but packs kept for clones', () => {
  const left = readdirSync(join(node.dataDirectory, 'quarantine'))
  expect(left.filter((name) => !/^[0-9a-f-]{36}\.pack$/.test(name))).toEqual([])
})

/** What git prints names the host, without the password; `stderr` is for people, and each host words it as it likes. */
function withoutHost(outcome: GitOutcome | string): unknown {
  const plain = (text: string): string => text.replaceAll(/http:\/\/\S+\.git/g, 'URL')
  return typeof outcome === 'string' ? plain(outcome) : { code: outcome.code, stdout: plain(outcome.stdout) }
}
