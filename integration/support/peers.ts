/** Nodes that know each other. */
import { expect } from 'vitest'
import { Git } from './git.ts'
import { NodeHost } from './hosts.ts'
import { NodeProcess, type NodeProcessOptions } from './node-process.ts'

/** Keys of nodes that tests start together. */
export const PEER_KEYS = ['11', '22', '33', '44'].map((byte) => byte.repeat(32))
export const PATIENCE = { timeout: 60_000, interval: 50 }

export function startPeer(
  number: number,
  environment: Readonly<Record<string, string>> = {},
  options: Omit<NodeProcessOptions, 'environment'> = {},
): Promise<NodeProcess> {
  const key = PEER_KEYS[number]
  if (key === undefined) throw new RangeError(`There is no peer ${number}`)
  return NodeProcess.start({ ...options, environment: { GUTS_PRIVATE_KEY: key, ...environment } })
}

export function peerIdOf(node: NodeProcess): string {
  return String(node.lines().find(({ msg }) => msg === 'Started')?.['peer_id'])
}

export function addressOf(node: NodeProcess): string {
  return `/ip4/127.0.0.1/tcp/${node.ports.p2p}/p2p/${peerIdOf(node)}`
}

/** `guts mirror add`, as an operator does it. @param repository without one everything that everybody may read */
export async function addMirror(mirror: NodeProcess, home: string, repository?: string): Promise<void> {
  const only = repository === undefined ? [] : ['--repository', repository]
  const { exitCode, stderr } = await mirror.guts('mirror', 'add', home, ...only)
  if (exitCode !== 0) throw new Error(stderr)
}

export interface MirrorStatus {
  readonly repository: string
  readonly sequence: number
  readonly known_sequence: number | null
  readonly lag_s: number
}

export interface Status {
  readonly peer_id: string
  readonly peers: readonly { readonly peer_id: string; readonly circuit: string }[]
  readonly homes: readonly {
    readonly peer_id: string
    readonly circuit: string
    readonly last_error: string | null
    readonly contact_age_s: number | null
    readonly mirrors: readonly MirrorStatus[]
  }[]
}

/** `guts status --json` */
export async function statusOf(node: NodeProcess): Promise<Status> {
  const { exitCode, stdout, stderr } = await node.guts('status', '--json')
  if (exitCode !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as Status
}

/** Refs of a repository as anybody's git sees them on this node. */
export async function refsOn(node: NodeProcess, repository: string, folder: string): Promise<string> {
  const { code, stdout, stderr } = await new Git(folder).try([
    'ls-remote',
    '--symref',
    `${node.origin}/git/${repository}`,
  ])
  return code === 0 ? stdout : `none: ${stderr}`
}

/** Waits until this node shows the refs that its home shows. */
export async function expectSameRefs(
  nodes: { readonly home: NodeProcess; readonly mirrors: readonly NodeProcess[] },
  repository: string,
  folder: string,
): Promise<void> {
  const wanted = await refsOn(nodes.home, repository, folder)
  expect(wanted).not.toContain('none:')
  for (const mirror of nodes.mirrors) {
    await expect.poll(() => refsOn(mirror, repository, folder), PATIENCE).toBe(wanted)
  }
}

/** A home with a user and one repository, and a clone of it to push from. */
export async function prepareHome(
  home: NodeProcess,
  folder: string,
): Promise<{ readonly host: NodeHost; readonly git: Git; readonly url: string }> {
  const host = await NodeHost.on(home)
  const { url } = await host.create('app', { private: false })
  const git = new Git(folder)
  await git.run('init', '--quiet', '--initial-branch=main', 'work')
  return { host, git: git.in('work'), url }
}
