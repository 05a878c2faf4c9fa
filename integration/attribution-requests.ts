/** Requests of every kind with what the log has to say about each: who, which repository, which route, how it ended. */
import { encodePktLine } from '../src/git/pkt-line.ts'
import type { RawRequest } from './support/raw-http.ts'
import type { Random } from './support/random.ts'

export interface Person {
  readonly username: string
  readonly userId: string
  readonly token: string
}

export interface Kind {
  readonly name: string
  readonly route: string
  readonly request: RawRequest
  /** Whose credentials are good; undefined: nobody's. */
  readonly caller?: Person | undefined
  readonly repository?: string | undefined
  readonly status: number
}

export interface World {
  readonly people: readonly Person[]
  /** By owner: all of them hold one commit on `main`. */
  readonly repositories: readonly { readonly owner: Person; readonly name: string; readonly hidden: boolean }[]
  /** Its pack is gone from the disk. */
  readonly broken: string
}

const REPOSITORY = '/api/repos/{owner}/{name}'
const GIT = '/git/{owner}/{name}'
export const JSON_TYPE = { 'Content-Type': 'application/json' }

export function bearer({ token }: Person): Record<string, string> {
  return { Authorization: `Bearer ${token}` }
}

/** One request drawn from all kinds. */
export function drawKind(random: Random, { people, repositories, broken }: World, number: number): Kind {
  const caller = random.chance(0.7) ? random.pick(people) : undefined
  const known = random.pick(people)
  const { owner, name, hidden } = random.pick(repositories)
  const path = `${owner.username}/${name}`
  const sees = !hidden || caller === owner
  const own = caller === undefined ? {} : bearer(caller)
  const post = (of: Person, body: string, more = {}): Omit<RawRequest, 'path'> => ({
    method: 'POST',
    body,
    headers: { ...bearer(of), ...JSON_TYPE, ...more },
  })
  const read = (route: string, rest: string): Kind => ({
    name: `read ${route}`,
    route: REPOSITORY + route,
    request: { path: `/api/repos/${path}${rest}`, headers: own },
    caller,
    repository: path,
    status: sees ? 200 : 404,
  })
  const lsRefs = `${encodePktLine('command=ls-refs\n').toString()}0001${encodePktLine('peel\n').toString()}0000`
  const kinds: (() => Kind)[] = [
    () => read('', ''),
    () => read('/branches', '/branches'),
    () => read('/commits', '/commits?per_page=5'),
    () => read('/contents/{path}', '/contents/README'),
    () => ({ ...read('', ''), request: { method: 'HEAD', path: `/api/repos/${path}`, headers: own } }),
    () => ({
      name: 'listing of git',
      route: `${GIT}/info/refs`,
      request: { path: `/git/${path}.git/info/refs?service=git-upload-pack`, headers: own },
      caller,
      repository: path,
      status: sees ? 200 : caller === undefined ? 401 : 404,
    }),
    () => ({
      name: 'ls-refs',
      route: `${GIT}/git-upload-pack`,
      request: {
        method: 'POST',
        path: `/git/${path}/git-upload-pack`,
        body: lsRefs,
        headers: { ...own, 'Content-Type': 'application/x-git-upload-pack-request', 'Git-Protocol': 'version=2' },
      },
      caller,
      repository: path,
      status: sees ? 200 : caller === undefined ? 401 : 404,
    }),
    () => ({
      name: 'who',
      route: '/api/user',
      request: { path: '/api/user', headers: bearer(known) },
      caller: known,
      status: 200,
    }),
    () => ({ name: 'list', route: '/api/repos', request: { path: '/api/repos', headers: own }, caller, status: 200 }),
    () => ({
      name: 'create',
      route: '/api/repos',
      request: { path: '/api/repos', ...post(known, JSON.stringify({ name: `made-${number}` })) },
      caller: known,
      repository: `${known.username}/made-${number}`,
      status: 201,
    }),
    () => ({
      name: 'create what is there',
      route: '/api/repos',
      request: { path: '/api/repos', ...post(owner, JSON.stringify({ name })) },
      caller: owner,
      repository: path,
      status: 409,
    }),
    () => ({
      name: 'change',
      route: REPOSITORY,
      request: { path: `/api/repos/${path}`, ...post(owner, `{"description":"${number}"}`), method: 'PATCH' },
      caller: owner,
      repository: path,
      status: 200,
    }),
    () => ({
      name: 'new token',
      route: '/api/user/tokens',
      request: { path: '/api/user/tokens', ...post(known, `{"name":"${number}"}`) },
      caller: known,
      status: 201,
    }),
    () => ({
      name: 'delete what is not there',
      route: REPOSITORY,
      request: { method: 'DELETE', path: `/api/repos/${known.username}/nothing`, headers: bearer(known) },
      caller: known,
      status: 404,
    }),
    () => ({
      name: 'bad JSON',
      route: '/api/repos',
      request: { path: '/api/repos', ...post(known, '{') },
      caller: known,
      status: 400,
    }),
    () => ({
      name: 'wrong field',
      route: '/api/repos',
      request: { path: '/api/repos', ...post(known, '{"name":"No"}') },
      caller: known,
      status: 422,
    }),
    () => ({
      name: 'large JSON',
      route: '/api/repos',
      request: { path: '/api/repos', ...post(known, JSON.stringify({ name: 'a'.repeat(300_000) })) },
      caller: known,
      status: 413,
    }),
    () => ({
      name: 'wrong type',
      route: '/api/repos',
      request: { path: '/api/repos', ...post(known, 'x', { 'Content-Type': 'text/plain' }) },
      caller: known,
      status: 415,
    }),
    () => ({
      name: 'wrong token',
      route: '/api/user',
      request: { path: '/api/user', headers: { Authorization: `Bearer ${known.token}x` } },
      status: 401,
    }),
    () => ({ name: 'no token', route: '/api/users', request: { path: '/api/users' }, status: 401 }),
    () => ({
      name: 'nowhere',
      route: '_unmatched',
      request: { path: `/x/${number}`, headers: own },
      caller,
      status: 404,
    }),
    () => ({
      name: 'wrong method',
      route: '/api/repos',
      request: { method: 'DELETE', path: '/api/repos', headers: own },
      caller,
      status: 405,
    }),
    () => ({
      name: 'broken repository',
      route: `${REPOSITORY}/commits`,
      request: { path: `/api/repos/${broken}/commits`, headers: bearer(known) },
      caller: known,
      repository: broken,
      status: 500,
    }),
  ]
  return random.pick(kinds)()
}
