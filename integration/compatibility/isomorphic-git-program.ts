/** isomorphic-git as a program: a request from standard input, an answer to standard output (`program.ts`). */
import fs from 'node:fs'
import { text } from 'node:stream/consumers'
import { clone, fetch, listServerRefs, push } from 'isomorphic-git'
import http from 'isomorphic-git/http/node'
import type { Answer, ClientRequest } from './client.ts'

const request = JSON.parse(await text(process.stdin)) as ClientRequest
const { url, folder: dir, username, password } = request

/** Asked once: with the same credentials again, a refusal would never end. */
const common = {
  fs,
  http,
  dir,
  onAuth: () => ({ username, password }),
  onAuthFailure: () => ({ cancel: true }),
}

/** What of a request this client has no means for. */
function lacking(): string | undefined {
  const { verb, version, refs = [] } = request
  if (request.filter !== undefined || verb === 'show') return 'it has no partial clones'
  if (request.oid !== undefined) return 'it fetches refs only'
  if (request.unshallow !== undefined) return 'it has no unshallow'
  if (request.atomic !== undefined) return 'it has no atomic push'
  if (request.pushOptions !== undefined) return 'it has no push options'
  if (request.serverOptions !== undefined) return 'it has no server options'
  if (request.sessionId !== undefined) return 'it has no session id'
  if (refs.length > 1) return 'it pushes one ref at a time'
  if (request.bare !== undefined) return 'it makes no bare clones'
  if (version === '2' && verb !== 'ls-remote') return 'it fetches and pushes in protocol 0 only'
  return version === '1' || (version === '0' && verb === 'ls-remote') ? 'it cannot be told to' : undefined
}

async function answer(): Promise<Answer> {
  const lack = lacking()
  if (lack !== undefined) return { outcome: 'lacks', said: lack }
  try {
    return await perform()
  } catch (error) {
    return { outcome: 'refused', said: error instanceof Error ? `${error.name}: ${error.message}` : String(error) }
  }
}

async function perform(): Promise<Answer> {
  const { verb, branch, depth, deepen, sinceS, exclude, allTags } = request
  const part = {
    ...((depth ?? deepen) !== undefined && { depth: depth ?? deepen }),
    ...(deepen !== undefined && { relative: true }),
    ...(sinceS !== undefined && { since: new Date(sinceS * 1_000) }),
    ...(exclude !== undefined && { exclude: [exclude] }),
    ...(branch !== undefined && { ref: branch, singleBranch: true }),
  }
  switch (verb) {
    case 'ls-remote': {
      const found = await listServerRefs({ ...common, url, symrefs: true, peelTags: true, protocolVersion: 2 })
      return { outcome: 'done', refs: Object.fromEntries(found.flatMap(entriesOf)) }
    }
    case 'clone':
      await clone({ ...common, url, ...part })
      return { outcome: 'done' }
    case 'fetch': {
      const tracked = branch === undefined ? {} : { remoteRef: branch }
      await fetch({ ...common, url, remote: 'origin', ...part, ...tracked, tags: allTags === true })
      return { outcome: 'done' }
    }
    case 'push':
      return pushOne(request.refs?.[0] ?? '')
    case 'show':
      throw new Error('Said to be lacking')
  }
}

async function pushOne(spec: string): Promise<Answer> {
  const [source = '', remoteRef = ''] = spec.replace('+', '').split(':')
  const isDeletion = source === ''
  const what = isDeletion ? { ref: remoteRef, delete: true } : { ref: source, force: spec.startsWith('+') }
  const { ok, error, refs } = await push({ ...common, url, remote: 'origin', remoteRef, ...what })
  const refused = Object.entries(refs).find(([, status]) => !status.ok)
  if (ok && refused === undefined) return { outcome: 'done' }
  return { outcome: 'refused', said: refused === undefined ? String(error) : `${refused[0]}: ${refused[1].error}` }
}

function entriesOf({
  ref,
  oid,
  target,
  peeled,
}: Awaited<ReturnType<typeof listServerRefs>>[number]): [string, string][] {
  return [
    [ref, oid],
    ...(target === undefined ? [] : [[`${ref} ->`, target] as [string, string]]),
    ...(peeled === undefined ? [] : [[`${ref}^{}`, peeled] as [string, string]]),
  ]
}

console.log(JSON.stringify(await answer()))
