/** Runs in k6: the requests that git makes (gitprotocol-http, gitprotocol-v2). */
import type { LoadRepository } from '../plan.ts'
import { ask, bodyOf, type ClientResponse } from './client.ts'
import { AUTHORIZATION, concat, DELIMITER, FLUSH, lines, pkt, text } from './git-wire.ts'

export type Service = 'git-upload-pack' | 'git-receive-pack'

export const GIT_ROUTE = '/git/{owner}/{name}'
const AGENT = 'agent=guts-load\n'
const V2 = { 'Git-Protocol': 'version=2' }

export function infoRefs(repository: string, service: Service): ClientResponse {
  return ask({
    method: 'GET',
    path: `/git/${repository}.git/info/refs?service=${service}`,
    route: `${GIT_ROUTE}/info/refs`,
    status: 200,
    headers: { Authorization: AUTHORIZATION, ...(service === 'git-upload-pack' ? V2 : {}) },
  })
}

export function post(repository: string, service: Service, body: Uint8Array<ArrayBuffer>): ClientResponse {
  return ask({
    method: 'POST',
    path: `/git/${repository}.git/${service}`,
    route: `${GIT_ROUTE}/${service}`,
    status: 200,
    headers: {
      Authorization: AUTHORIZATION,
      'Content-Type': `application/x-${service}-request`,
      Accept: `application/x-${service}-result`,
      ...(service === 'git-upload-pack' ? V2 : {}),
    },
    body: body.buffer,
  })
}

/** What the node says its refs are: `OID NAME`, without HEAD. */
export function lsRefs({ path }: LoadRepository): string[] {
  const command = [pkt('command=ls-refs\n'), pkt(AGENT), pkt('object-format=sha1\n'), DELIMITER]
  const answer = post(path, 'git-upload-pack', concat([...command, pkt('peel\n'), pkt('symrefs\n'), FLUSH]))
  const told = lines(bodyOf(answer)).map((line) => text(line).trimEnd())
  return told.map((line) => line.split(' ').slice(0, 2).join(' ')).filter((line) => !line.endsWith(' HEAD'))
}

export const expectedRefs = ({ refs }: LoadRepository): string[] => refs.map(({ oid, name }) => `${oid} ${name}`)

export function fetchRequest({ refs }: LoadRepository): Uint8Array<ArrayBuffer> {
  const wants = [...new Set(refs.map(({ oid }) => oid))].map((oid) => pkt(`want ${oid}\n`))
  const command = [pkt('command=fetch\n'), pkt(AGENT), pkt('object-format=sha1\n'), DELIMITER]
  const args = [pkt('ofs-delta\n'), pkt('no-progress\n')]
  return concat([...command, ...args, ...wants, pkt('done\n'), FLUSH])
}
