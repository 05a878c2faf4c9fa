import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../integration/support/git.ts'
import type { NodeProcess } from '../integration/support/node-process.ts'
import type { Cluster } from './cluster/cluster.ts'
import { emptyHistory } from './history.ts'
import { Run } from './run-scenario.ts'
import { SMOKE } from './scenarios.ts'

const EMPTY = `001e# service=git-upload-pack\n0000003c${'0'.repeat(40)} capabilities^{}0000`

it('fails with what went wrong, and not with what was broken off for it; and lets nobody wait for nodes', async () => {
  using folder = temporaryFolder('run')
  const server = createServer((_, response) => void response.end(EMPTY)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  let killed = 0
  let hasBegun = false
  const cluster: Partial<Cluster> = {
    folder: folder.path,
    nowMs: 0,
    runs: () => true,
    checkLinks: async () => {},
    begin: () => void (hasBegun = true),
    killAll: async () => void killed++,
    node: () => ({ metric: async () => undefined }) as unknown as NodeProcess,
    lines: () => [{ atMs: 1, fields: { level: 'error', msg: 'out of ink' } }],
    readUrl() {
      if (hasBegun) throw new Error('the address book is lost')
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    },
  }
  const history = emptyHistory()
  const signal = new AbortController().signal
  const parts = { cluster: cluster as Cluster, history, scenario: SMOKE, seed: 1, signal, say() {} }
  const run = new Run(parts).run([{ atMs: 60_000, forMs: 1, action: { kind: 'cut', link: 'home--mirror-1' } }])
  await expect(run).rejects.toThrow('the address book is lost')
  expect(killed).toBe(1)
  expect(history.complaints.map(({ message }) => message)).toContain('out of ink')
  server.close()
})
