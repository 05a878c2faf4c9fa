/** README's "Three nodes", run as it stands but for the ports and folders, which are ours. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ROOT, run } from './support/command-line.ts'
import { DevProcess } from './support/dev-process.ts'
import { freePorts } from './support/free-ports.ts'
import { contentsOf, fsck, Git, temporaryFolder } from './support/git.ts'

const PATIENCE = { timeout: 60_000, interval: 100 }

/** The commands of README's second block: environment, `guts mirror add`, `npm start`. */
function readmeLines(): { readonly settings: string; readonly mirrorAdd: string } {
  const [, section = ''] = /## Three nodes\n([\s\S]*?)\n## /.exec(readFileSync(join(ROOT, 'README.md'), 'utf8')) ?? []
  const blocks = Array.from(section.matchAll(/```sh\n([\s\S]*?)```/g), ([, block = '']) => block.trim())
  expect(blocks[0]).toBe('npm start')
  const [settings = '', mirrorAdd = '', start] = blocks[1]?.split('\n') ?? []
  expect(settings).toMatch(
    /^export GUTS_DATA_DIR=data-2 GUTS_API_ADDR=\S+:8082 GUTS_P2P_ADDR=\S+:9002 GUTS_METRICS_ADDR=\S+:9092$/,
  )
  expect(mirrorAdd).toMatch(/^npm run -s guts -- mirror add /)
  expect(start).toBe('npm start')
  return { settings, mirrorAdd }
}

it('push to one, clone from the two others', async () => {
  const { settings, mirrorAdd } = readmeLines()
  using folder = temporaryFolder('three-nodes')
  const data = (number: number): string => join(folder.path, number === 1 ? 'data' : `data-${number}`)
  const ports = await freePorts(9)
  const environmentOf = (number: number): Record<string, string> => {
    const [api, p2p, internal] = ports.slice(3 * (number - 1))
    return {
      GUTS_DATA_DIR: data(number),
      GUTS_API_ADDR: `127.0.0.1:${api}`,
      GUTS_P2P_ADDR: `127.0.0.1:${p2p}`,
      GUTS_METRICS_ADDR: `127.0.0.1:${internal}`,
    }
  }
  // Each variable that the lines set is one that we set, too.
  expect(Array.from(settings.matchAll(/(\w+)=/g), ([, name]) => name)).toEqual(Object.keys(environmentOf(2)))
  const stack = new AsyncDisposableStack()
  await using _all = stack
  const first = stack.use(await DevProcess.start([], environmentOf(1)))
  for (const number of [2, 3]) {
    const line = mirrorAdd.replace('--data-dir data ', `--data-dir ${data(1)} `)
    const { exitCode, stderr } = await run('bash', ['-ec', line], environmentOf(number), { cwd: ROOT })
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    stack.use(await DevProcess.start([], environmentOf(number)))
  }
  const git = new Git(folder.path)
  await git.run('init', '--quiet', '--initial-branch=main', 'work')
  const work = git.in('work')
  await work.commit('first')
  const pushed = await run('bash', ['-ec', first.pushLine], { HOME: folder.path }, { cwd: work.folder })
  expect(pushed.exitCode).toBe(0)
  const wanted = await work.run('rev-parse', 'HEAD')
  const contents: unknown[] = []
  for (const number of [1, 2, 3]) {
    const url = `http://${environmentOf(number)['GUTS_API_ADDR']}/git/admin/first`
    await expect.poll(async () => (await git.try(['ls-remote', url])).stdout, PATIENCE).toContain(wanted)
    await git.run('clone', '--quiet', '--mirror', url, `clone-${number}`)
    await fsck(join(folder.path, `clone-${number}`))
    contents.push(await contentsOf(join(folder.path, `clone-${number}`)))
  }
  expect(contents[1]).toEqual(contents[0])
  expect(contents[2]).toEqual(contents[0])
})
