/** What single actions change on `/metrics`: the pieces that expectations are put together from. */
import { expect } from 'vitest'
import { type Change, keyOf, requestChange } from './metrics.ts'
import { NodeProcess } from './node-process.ts'
import { ask, type RawRequest } from './raw-http.ts'
import { postHeaders, type Service } from './wire.ts'

export const GIT_ROUTE = '/git/{owner}/{name}'
export const REPOSITORY_ROUTE = '/api/repos/{owner}/{name}'

export const storageOperation = (operation: string, count = 1): Change => ({
  [keyOf('guts_storage_operation_duration_seconds_count', { operation })]: count,
})

export const gitOperation = (service: 'upload_pack' | 'receive_pack', version: string, result: string): Change => ({
  [keyOf('guts_git_operations_total', { service, version, result })]: 1,
  [keyOf('guts_git_operation_duration_seconds_count', { service })]: 1,
})

export const bulkheadWait = (bulkhead: string): Change => ({
  [keyOf('guts_bulkhead_wait_seconds_count', { bulkhead })]: 1,
})

export const packMoved = (direction: 'in' | 'out', objects: number, bytes: number): Change => ({
  [keyOf('guts_git_objects_total', { direction })]: objects,
  [keyOf('guts_git_pack_bytes_total', { direction })]: bytes,
})

export const rejection = (reason: string): Change => ({ [keyOf('guts_http_rejections_total', { reason })]: 1 })

export interface GitCall {
  readonly repository: string
  readonly service: Service
  readonly body: Uint8Array
  readonly version?: '0' | '1' | '2'
}

/** A node and one of its users, whose requests are counted on this side, too. */
export class MeteredNode implements AsyncDisposable {
  readonly node: NodeProcess
  readonly token: string

  private constructor(node: NodeProcess, token: string) {
    this.node = node
    this.token = token
  }

  /** @param disk `damaged`: the test breaks what lies there, and git is not asked about it in the end */
  static async start(environment: Readonly<Record<string, string>> = {}, disk?: 'damaged'): Promise<MeteredNode> {
    const options = { environment: { GUTS_RATE_LIMIT: '0', ...environment } }
    const node = await NodeProcess.start(disk === undefined ? options : { ...options, damaged: true })
    const { token } = await node.createUser('alice')
    return new MeteredNode(node, token)
  }

  get authorization(): Record<string, string> {
    return { Authorization: `Bearer ${this.token}` }
  }

  get json(): Record<string, string> {
    return { ...this.authorization, 'Content-Type': 'application/json' }
  }

  /** By a connection that is closed again: `fetch` would keep one open, and close it in the middle of a test. */
  async create(name: string): Promise<void> {
    const body = JSON.stringify({ name })
    const answer = await ask(this.node.ports.api, { method: 'POST', path: '/api/repos', body, headers: this.json })
    expect(answer.status, answer.bytes.toString('utf8')).toBe(201)
  }

  /** One request, with what its end changes. */
  async request(request: RawRequest, route: string, status: number, port = this.node.ports.api): Promise<Change> {
    const answer = await ask(port, request)
    expect(answer.status, answer.bytes.toString('utf8')).toBe(status)
    const method = request.method ?? 'GET'
    const bytesIn = Buffer.from(request.body ?? '').length
    return requestChange({ method, route, status, bytesIn, bytesOut: answer.body.length })
  }

  post({ repository, service, body, version }: GitCall, status = 200): Promise<Change> {
    const headers = postHeaders({ service, version, token: this.token, headers: {} })
    const path = `/git/${repository}/${service}`
    return this.request({ method: 'POST', path, headers, body }, `${GIT_ROUTE}/${service}`, status)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.node[Symbol.asyncDispose]()
  }
}
