import * as z from 'zod'
import type { Caller } from '../../collaboration/caller.ts'
import { answer } from '../route.ts'
import { defineRoute, type Services } from '../services.ts'
import { findRepository, objectId, refOrOid, repositoryParams, treePath } from './repository-schemas.ts'

const entryFields = {
  name: z.string(),
  path: z.string(),
  type: z.enum(['file', 'dir', 'symlink', 'submodule']),
  mode: z.string().meta({ description: 'As git prints it', examples: ['100644'] }),
  oid: objectId,
  size: z.int().optional().meta({ description: 'In bytes, of files and symbolic links' }),
}
const folderAnswer = z.array(z.object(entryFields).meta({ id: 'ContentEntry' }))
const fileAnswer = z
  .object({
    ...entryFields,
    encoding: z.literal('base64').optional(),
    content: z.base64().optional().meta({ description: 'Of a symbolic link, its target; none of a submodule' }),
  })
  .meta({ id: 'ContentFile' })
const contentsAnswer = z.union([folderAnswer, fileAnswer])
const query = z.strictObject({ ref: refOrOid.optional() })

const getRoot = defineRoute({
  method: 'get',
  path: '/api/repos/{owner}/{name}/contents',
  summary: 'The entries of the root folder',
  access: 'read',
  params: z.strictObject(repositoryParams),
  query,
  answers: { 200: contentsAnswer },
  handle: async ({ params, query: { ref }, caller, signal }, services) =>
    answer(200, await read({ ...params, ref, path: '', caller, signal }, services)),
})

const getContents = defineRoute({
  method: 'get',
  path: '/api/repos/{owner}/{name}/contents/{path*}',
  summary: 'A file, or the entries of a folder',
  access: 'read',
  params: z.strictObject({ ...repositoryParams, path: treePath }),
  query,
  answers: { 200: contentsAnswer },
  handle: async ({ params, query: { ref }, caller, signal }, services) =>
    answer(200, await read({ ...params, ref, caller, signal }, services)),
})

export const contentsRoutes = [getRoot, getContents]

interface Look {
  readonly owner: string
  readonly name: string
  readonly ref: string | undefined
  readonly path: string
  readonly caller: Caller | undefined
  readonly signal: AbortSignal
}

async function read(look: Look, services: Services): Promise<z.input<typeof contentsAnswer>> {
  const repository = findRepository(look, look.caller, services)
  const contents = await services.browse.contents(repository, look, look.signal)
  if (contents === undefined) return []
  if (contents.kind === 'directory') {
    const prefix = look.path === '' ? '' : `${look.path}/`
    return contents.entries.map((entry) => ({ ...entry, path: prefix + entry.name }))
  }
  const { entry, content } = contents
  const encoded = content === undefined ? {} : { encoding: 'base64' as const, content }
  return { ...entry, path: look.path, ...encoded }
}
