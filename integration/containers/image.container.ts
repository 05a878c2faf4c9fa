/** The shipped image, as an operator runs it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { contentsOf, fsck, Git, temporaryFolder } from '../support/git.ts'
import { NodeContainer } from './node-container.ts'
import { engine, imageNamed, logsOf, tryEngine } from './run.ts'

interface Inspected {
  readonly Config: {
    readonly User: string
    readonly ExposedPorts: Readonly<Record<string, object>>
    readonly Labels: Readonly<Record<string, string>>
    readonly Healthcheck: { readonly Test: readonly string[] }
  }
  readonly Image: string
  readonly State: { readonly ExitCode: number }
}

async function inspect(...what: readonly string[]): Promise<Inspected> {
  const [found] = JSON.parse(await engine('inspect', ...what)) as [Inspected]
  return found
}

it('is not root, says what it listens on, and how to ask whether it lives', async () => {
  await using node = await NodeContainer.start({})
  const { Config, Image } = await inspect(node.id)
  expect(Config.User).toBe('1000:1000')
  const image = await inspect('--type', 'image', Image)
  expect(Object.keys(image.Config.ExposedPorts).sort()).toEqual(['8080/tcp', '9000/tcp', '9090/tcp'])
  expect(Config.Labels['org.opencontainers.image.title']).toBe('Guts')
  // As the engine would run it; without systemd, podman never does.
  const [kind, ...check] = Config.Healthcheck.Test
  expect(kind).toBe('CMD')
  expect(await node.container.exec(check)).toMatchObject({ exitCode: 0 })
  const elsewhere = check.map((part) => part.replace(':9090/', ':9/'))
  expect(elsewhere).not.toEqual(check)
  expect(await node.container.exec(elsewhere)).toMatchObject({ exitCode: 1 })
})

it('has everything that the page of the API needs', async () => {
  await using node = await NodeContainer.start({})
  const page = await (await fetch(`${node.origin}/docs`)).text()
  const named = [...page.matchAll(/(?:src|href)="([^":]+)"/g)].map(([, path]) => path)
  expect(named).toContain('docs/swagger-ui-bundle.js')
  for (const path of named) expect((await fetch(`${node.origin}/${path}`)).status, path).toBe(200)
})

it('takes pushes on a read-only root, and has them after a stop and after a kill', async () => {
  using folder = temporaryFolder('image')
  await using node = await NodeContainer.start({})
  const url = await node.createRepository('alice', 'app')
  const git = new Git(folder.path)
  await git.run('init', '--quiet', '--initial-branch=main')
  writeFileSync(join(folder.path, 'file'), 'content\n'.repeat(50_000))
  await git.commit('first')
  await git.run('push', '--quiet', url, 'main')
  await engine('stop', '--time', '30', node.id)
  const { State } = await inspect(node.id)
  expect(State.ExitCode).toBe(0)
  expect(await logsOf(node.id)).toContain('"msg":"Stopped"')
  await engine('start', node.id)
  await expect.poll(() => node.readiness(), { timeout: 60_000 }).toBe(200)
  await git.commit('second')
  await git.run('push', '--quiet', url, 'main', 'main:other')
  await engine('kill', '--signal', 'KILL', node.id)
  await engine('start', node.id)
  await expect.poll(() => node.readiness(), { timeout: 60_000 }).toBe(200)
  await git.run('clone', '--quiet', '--mirror', url, 'clone.git')
  await fsck(join(folder.path, 'clone.git'))
  await git.run('branch', 'other')
  expect(await contentsOf(join(folder.path, 'clone.git'))).toEqual(await contentsOf(join(folder.path, '.git')))
})

it('does not start without a key, and says so in lines of JSON', async () => {
  // Attached: until it ends.
  const id = await engine('create', '--read-only', imageNamed('node'))
  const { exitCode, stdout } = await tryEngine('start', '--attach', id)
  expect(exitCode).toBe(78)
  expect(stdout).toBe('')
  const lines = (await logsOf(id)).trimEnd().split('\n')
  await engine('rm', '--volumes', id)
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { level: 'error', setting: 'GUTS_PRIVATE_KEY' },
  ])
})
