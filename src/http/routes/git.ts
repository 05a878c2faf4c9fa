/** The three addresses of smart HTTP (gitprotocol-http): thin adapters over src/transfer. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import * as z from 'zod'
import type { Caller } from '../../collaboration/caller.ts'
import { type FoundRepository, mirrorSentence } from '../../collaboration/repository-catalog.ts'
import { RequestError } from '../../errors.ts'
import type { GitService } from '../../git/protocol/advertisement.ts'
import { parseGitProtocol } from '../../git/protocol/capabilities.ts'
import type { GitRequest } from '../../transfer/git-request.ts'
import type { Transfer } from '../../transfer/transfer.ts'
import { ownerName, repositoryName } from '../../validation/names.ts'
import { HttpGitAnswer } from '../git-answer.ts'
import { gitBody } from '../git-body.ts'
import { routesFor, type StreamRoute } from '../route.ts'

export interface GitServices {
  readonly repositories: {
    find(owner: string, name: string, caller: Caller | undefined): FoundRepository | undefined
  }
  readonly transfer: Transfer
}

const SERVICES = ['git-upload-pack', 'git-receive-pack'] as const
// Any text: a name that cannot exist is answered like one that does not.
const params = z.strictObject({ owner: z.string(), name: z.string() })
const listing = z.object({ service: z.string().optional() })

export function gitRoutes<Services extends GitServices>(): StreamRoute<Services>[] {
  const { defineStreamRoute } = routesFor<Services>()
  return [
    defineStreamRoute({
      method: 'get',
      path: '/git/{owner}/{name}/info/refs',
      summary: 'Refs and capabilities, as git asks for them',
      access: 'public',
      params,
      query: listing,
      async handle(input, { transfer, repositories }) {
        const service = SERVICES.find((known) => known === input.query.service)
        const repository = authorise(input, service ?? 'git-upload-pack', repositories)
        if (service === undefined) {
          throw new RequestError({ code: 'forbidden' }, 'Only the smart HTTP protocol of git is spoken here')
        }
        await transfer.advertise(toRequest(input, repository, service, 'advertisement', transfer.progressTimeoutMs))
      },
    }),
    ...SERVICES.map((service) =>
      defineStreamRoute({
        method: 'post',
        path: `/git/{owner}/{name}/${service}`,
        summary: service === 'git-upload-pack' ? 'Fetch' : 'Push',
        access: 'public',
        params,
        async handle(input, { transfer, repositories }) {
          const repository = authorise(input, service, repositories)
          const body = gitBody(input.request, `application/x-${service}-request`)
          input.admitBody()
          const request = { ...toRequest(input, repository, service, 'result', transfer.progressTimeoutMs), body }
          await (service === 'git-upload-pack' ? transfer.fetch(request) : transfer.push(request))
        },
      }),
    ),
  ]
}

interface Input {
  readonly params: z.output<typeof params>
  readonly caller: Caller | undefined
  readonly signal: AbortSignal
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** Who may not is told nothing about what is there (DESIGN §4.4, I12). @throws RequestError unauthorized, not_found */
function authorise(
  { params: { owner, name }, caller }: Input,
  service: GitService,
  repositories: GitServices['repositories'],
): FoundRepository {
  const plainName = name.endsWith('.git') ? name.slice(0, -'.git'.length) : name
  const exists = ownerName.safeParse(owner).success && repositoryName.safeParse(plainName).success
  const found = exists ? repositories.find(owner, plainName, caller) : undefined
  // Who may read a mirror may be told where to push instead.
  const isAllowed =
    found !== undefined && (service === 'git-upload-pack' || found.canWrite || found.mirrorOf !== undefined)
  if (isAllowed && (service === 'git-upload-pack' || caller !== undefined)) return found
  if (caller === undefined) throw new RequestError({ code: 'unauthorized' }, 'This needs credentials')
  throw new RequestError({ code: 'not_found' }, 'Repository not found')
}

function toRequest(
  { caller, signal, request, response }: Input,
  repository: FoundRepository,
  service: GitService,
  kind: 'advertisement' | 'result',
  timeoutMs: number,
): Omit<GitRequest, 'body'> {
  const header = request.headers['git-protocol']
  return {
    repository: { id: repository.id, owner: repository.owner, name: repository.name },
    ...(repository.mirrorOf && { readOnly: mirrorSentence(repository, repository.mirrorOf) }),
    service,
    version: parseGitProtocol(typeof header === 'string' ? header : undefined),
    answer: new HttpGitAnswer(response, `application/x-${service}-${kind}`, timeoutMs),
    userId: caller?.userId ?? null,
    signal,
  }
}
