/** What the server says first: its refs and what it can do (gitprotocol-pack, gitprotocol-v2, gitprotocol-http). */
import { NO_OID } from '../object/no-oid.ts'
import { encodePktLine, FLUSH } from '../pkt-line.ts'
import { prefixMatcher } from './ref-prefixes.ts'
import type { LsRefsRequest, ObjectInfoRequest } from './v2-commands.ts'

export type GitService = 'git-upload-pack' | 'git-receive-pack'

export interface AdvertisedRef {
  readonly name: string
  /** 40 hex digits */
  readonly oid: string
  /** What an annotated tag finally points to. */
  readonly peeled: string | null
}

export interface AdvertisedRefs {
  /** What HEAD points to, whether that ref exists or not. */
  readonly head: string
  /** Sorted by name, bytewise. */
  readonly refs: readonly AdvertisedRef[]
  readonly byName: ReadonlyMap<string, AdvertisedRef>
}

/** Any object that is here may be wanted, as in version 2: partial clones come back for what they left out. */
const UPLOAD_PACK_CAPABILITIES =
  'multi_ack thin-pack side-band side-band-64k ofs-delta shallow deepen-since deepen-not deepen-relative no-progress ' +
  'include-tag multi_ack_detailed allow-tip-sha1-in-want allow-reachable-sha1-in-want no-done filter'
const RECEIVE_PACK_CAPABILITIES =
  'report-status report-status-v2 delete-refs side-band-64k quiet atomic ofs-delta push-options'

/** The first line of an answer over HTTP names the service. */
function serviceLine(service: GitService): Buffer {
  return Buffer.concat([encodePktLine(`# service=${service}\n`), FLUSH])
}

/** Who answers, as clients see it. */
export interface Speaker {
  /** E.g. `guts/1.0`. */
  readonly agent: string
  /** Of this process: clients write it to their traces (gitprotocol-capabilities, "session-id"). */
  readonly sessionId: string
}

export function encodeAdvertisement(
  service: GitService,
  version: '0' | '1',
  { head, refs, byName }: AdvertisedRefs,
  { agent, sessionId }: Speaker,
): Buffer {
  const isUpload = service === 'git-upload-pack'
  const headRef = byName.get(head)
  const symref = isUpload && headRef !== undefined ? ` symref=HEAD:${head}` : ''
  const services = isUpload ? UPLOAD_PACK_CAPABILITIES : RECEIVE_PACK_CAPABILITIES
  const capabilities = `${services}${symref} object-format=sha1 agent=${agent} session-id=${sessionId}`
  const entries: string[] = []
  // Receive-pack lists real refs only: nobody pushes to HEAD.
  if (isUpload && headRef !== undefined) entries.push(`${headRef.oid} HEAD`)
  for (const { name, oid, peeled } of refs) {
    entries.push(`${oid} ${name}`)
    if (isUpload && peeled !== null) entries.push(`${peeled} ${name}^{}`)
  }
  if (entries.length === 0) entries.push(`${NO_OID} capabilities^{}`)
  const lines = entries.map((entry, at) => encodePktLine(at === 0 ? `${entry}\0${capabilities}\n` : `${entry}\n`))
  const versionLine = version === '1' ? [encodePktLine('version 1\n')] : []
  return Buffer.concat([serviceLine(service), ...versionLine, ...lines, FLUSH])
}

export function encodeV2Advertisement({ agent, sessionId }: Speaker): Buffer {
  const capabilities = [
    'version 2',
    `agent=${agent}`,
    'ls-refs=unborn',
    'fetch=shallow wait-for-done filter ref-in-want sideband-all',
    'server-option',
    'object-format=sha1',
    'object-info',
    `session-id=${sessionId}`,
  ]
  return Buffer.concat([
    serviceLine('git-upload-pack'),
    ...capabilities.map((line) => encodePktLine(`${line}\n`)),
    FLUSH,
  ])
}

/** @param sizes in bytes, for each of the objects; undefined for one that is not here */
export function encodeObjectInfo({ oids, size }: ObjectInfoRequest, sizes: readonly (number | undefined)[]): Buffer {
  const lines = oids.map((oid, at) => encodePktLine(size ? `${oid} ${sizes[at] ?? ''}` : oid))
  return Buffer.concat([...(size && oids.length > 0 ? [encodePktLine('size')] : []), ...lines, FLUSH])
}

export function encodeLsRefs({ head, refs, byName }: AdvertisedRefs, request: LsRefsRequest): Buffer {
  const { peel, symrefs, unborn, prefixes } = request
  const lines: Buffer[] = []
  const isWanted = prefixMatcher(prefixes)
  if (isWanted('HEAD')) {
    const headRef = byName.get(head)
    const target = symrefs ? ` symref-target:${head}` : ''
    if (headRef !== undefined) lines.push(encodePktLine(`${headRef.oid} HEAD${target}\n`))
    // Without its target it would say nothing: C git says it to those who asked for both (ls-refs.c).
    else if (unborn && symrefs) lines.push(encodePktLine(`unborn HEAD${target}\n`))
  }
  for (const { name, oid, peeled } of refs) {
    if (!isWanted(name)) continue
    lines.push(encodePktLine(`${oid} ${name}${peel && peeled !== null ? ` peeled:${peeled}` : ''}\n`))
  }
  return Buffer.concat([...lines, FLUSH])
}
