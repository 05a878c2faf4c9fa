/** What the addresses and answers of repositories share. */
import * as z from 'zod'
import type { Caller } from '../../collaboration/caller.ts'
import type { FoundRepository } from '../../collaboration/repository-catalog.ts'
import { RequestError } from '../../errors.ts'
import { isBranchName, isPushableRefName, isRefName, REF_NAME_BYTES_MAX } from '../../git/ref-name.ts'
import { description, oid, ownerName, repositoryName } from '../../validation/names.ts'
import type { Services } from '../services.ts'

const PATH_LENGTH_MAX = 4_096

export const repositoryParams = { owner: ownerName, name: repositoryName }

/** Sizes are told before formats, and nothing a file system or git could read in another way gets further. */
export const treePath = z
  .string()
  .max(PATH_LENGTH_MAX, `Path must have at most ${PATH_LENGTH_MAX} characters`)
  .refine(
    (path) => !path.includes('\0') && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..'),
    'Path must be names joined by single slashes, without . and ..',
  )
  .meta({ description: 'A path inside the repository', examples: ['src/main.c'] })

export const refOrOid = z
  .string()
  .min(1, 'Ref must not be empty')
  .max(REF_NAME_BYTES_MAX, `Ref must have at most ${REF_NAME_BYTES_MAX} characters`)
  .refine((ref) => isRefName(`refs/heads/${ref}`), 'Ref must be the name of a branch or a tag, or an object id')
  .meta({ description: 'Branch, tag, full name of a ref, or object id; without one HEAD', examples: ['main'] })

export const branchName = z
  .string()
  .min(1, 'Branch must not be empty')
  .max(REF_NAME_BYTES_MAX - 'refs/heads/'.length, 'Branch must not be longer than git takes')
  .refine(
    (name) => name.isWellFormed() && isBranchName(name) && isPushableRefName(`refs/heads/${name}`),
    'Branch must be a name that git takes',
  )
  .meta({ description: 'A branch, without refs/heads/', examples: ['main'] })

export const time = z.iso.datetime().meta({ description: 'ISO 8601, UTC', examples: ['2026-01-31T12:00:00.000Z'] })

export const repositoryAnswer = z
  .object({
    id: z.string(),
    name: repositoryName,
    owner: ownerName,
    full_name: z.string(),
    description,
    private: z.boolean(),
    default_branch: z.string().meta({ description: 'What HEAD points to, whether it exists yet or not' }),
    empty: z.boolean(),
    clone_url: z.string(),
    mirror_of: z
      .object({ peer: z.string(), url: z.string().nullable() })
      .nullable()
      .meta({ description: 'The node that takes its changes, where this one only follows' }),
    created_at: time,
    updated_at: time,
    pushed_at: time.nullable(),
  })
  .meta({ id: 'Repository' })

export const objectId = oid

export const isoTime = (ms: number): string => new Date(ms).toISOString()

export function toRepositoryAnswer(
  found: FoundRepository,
  url: URL,
  { publicUrl }: Pick<Services, 'publicUrl'>,
): z.input<typeof repositoryAnswer> {
  const path = `${found.owner}/${found.name}`
  return {
    id: found.id,
    name: found.name,
    owner: found.owner,
    full_name: path,
    description: found.description,
    private: found.private,
    default_branch: found.head.replace(/^refs\/heads\//, ''),
    empty: found.empty,
    clone_url: `${publicUrl ?? url.origin}/git/${path}`,
    mirror_of: found.mirrorOf === undefined ? null : { peer: found.mirrorOf.peer, url: found.mirrorOf.url ?? null },
    created_at: isoTime(found.createdAtMs),
    updated_at: isoTime(found.updatedAtMs),
    pushed_at: found.pushedAtMs === null ? null : isoTime(found.pushedAtMs),
  }
}

/** @throws RequestError not_found, in the same words for what is hidden and what is missing (I12) */
export function findRepository(
  { owner, name }: { owner: string; name: string },
  caller: Caller | undefined,
  { repositories }: Pick<Services, 'repositories'>,
): FoundRepository {
  const found = repositories.find(owner, name, caller)
  if (found === undefined) throw new RequestError({ code: 'not_found' }, 'Repository not found')
  return found
}
