/** The machine's git. */
import { basename, dirname } from 'node:path'
import { Git, gitVersion } from '../support/git.ts'
import type { Answer, Client, ClientRequest, OpenClient } from './client.ts'

export const cGit: Client = {
  name: 'git',
  what: "C git, the machine's own",
  sources: ['c-git.ts'],
  async open(): Promise<OpenClient> {
    return { version: await gitVersion(), ask }
  },
}

async function ask(request: ClientRequest): Promise<Answer> {
  const { verb, folder } = request
  const options = [
    // Its own housekeeping would move packs while they are listed.
    ['maintenance.auto', 'false'],
    ...(request.version === undefined ? [] : [['protocol.version', request.version]]),
    ...(request.sessionId === undefined ? [] : [['transfer.advertiseSID', 'true']]),
  ].flatMap(([key, value]) => ['-c', `${key}=${value}`])
  const git = new Git(dirname(folder), options)
  const { code, stdout, stderr } = await git.try(argumentsOf(request))
  if (code !== 0) return { outcome: 'refused', said: `${stderr}${stdout}` }
  if (verb === 'ls-remote') return { outcome: 'done', refs: refsOf(stdout) }
  return verb === 'show' ? { outcome: 'done', content: stdout } : { outcome: 'done' }
}

function argumentsOf(request: ClientRequest): string[] {
  const { verb, folder } = request
  const url = withCredentials(request)
  const inside = ['-C', basename(folder)]
  const loud = request.progress === true ? '--progress' : '--quiet'
  const servers = (request.serverOptions ?? []).map((option) => `--server-option=${option}`)
  switch (verb) {
    case 'ls-remote':
      return ['ls-remote', '--symref', ...servers, url]
    case 'clone': {
      const { bare, branch } = request
      const one = branch === undefined ? [] : ['--single-branch', `--branch=${branch}`]
      const options = [...servers, ...partOf(request), ...(bare === true ? ['--bare'] : []), ...one]
      return ['clone', loud, ...options, url, basename(folder)]
    }
    case 'fetch': {
      const { allTags, branch, oid } = request
      const what = [branch, oid].filter((one) => one !== undefined)
      const options = [...servers, ...partOf(request), ...(allTags === true ? ['--tags'] : [])]
      return [...inside, 'fetch', loud, ...options, 'origin', ...what]
    }
    case 'push': {
      const { atomic, pushOptions = [], refs = [] } = request
      const options = [...(atomic === true ? ['--atomic'] : []), ...pushOptions.map((one) => `--push-option=${one}`)]
      return [...inside, 'push', '--porcelain', ...options, url, ...refs]
    }
    case 'show':
      return [...inside, 'cat-file', '-p', request.oid ?? 'HEAD']
  }
}

function partOf({ depth, sinceS, exclude, deepen, unshallow, filter }: ClientRequest): string[] {
  return [
    ...(depth === undefined ? [] : [`--depth=${depth}`]),
    ...(sinceS === undefined ? [] : [`--shallow-since=${sinceS}`]),
    ...(exclude === undefined ? [] : [`--shallow-exclude=${exclude}`]),
    ...(deepen === undefined ? [] : [`--deepen=${deepen}`]),
    ...(unshallow === undefined ? [] : ['--unshallow']),
    ...(filter === undefined ? [] : [`--filter=${filter}`]),
  ]
}

function withCredentials({ url, username, password }: Pick<ClientRequest, 'url' | 'username' | 'password'>): string {
  return url.replace('http://', `http://${username}:${password}@`)
}

/** Lines of `OID\tREF`, and of `ref: REF\tHEAD`. */
function refsOf(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line !== '')
  return Object.fromEntries(
    lines.map((line) => {
      const [value = '', name = ''] = line.split('\t')
      return value.startsWith('ref: ') ? [`${name} ->`, value.slice(5)] : [name, value]
    }),
  )
}
