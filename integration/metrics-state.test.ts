/** I10: metrics of the node's own state tell it (Done when 6). */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cleanEnvironment } from './support/command-line.ts'
import { MeteredNode } from './support/metered-node.ts'
import { changes, expectChange, freshScrape, keyOf, scrapeSeries, settlesAt } from './support/metrics.ts'
import { NodeProcess } from './support/node-process.ts'
import { ask } from './support/raw-http.ts'

const PATIENCE = { timeout: 20_000, interval: 50 }

describe('state', () => {
  it('maintenance: not ready, with every check up', async () => {
    await using metered = await MeteredNode.start()
    const { internal } = metered.node.ports
    await expectChange(internal, async () => {
      await metered.node.guts('maintenance', 'on')
      await settlesAt(metered.node, 'guts_ready').toBe(0)
      return { guts_ready: -1 }
    })
    for (const check of ['storage', 'p2p', 'consensus']) {
      expect((await scrapeSeries(metered.node)).get(keyOf('guts_health_check_up', { check }))).toBe(1)
    }
    await expectChange(internal, async () => {
      await metered.node.guts('maintenance', 'off')
      return { guts_ready: 1 }
    })
  })

  it('a database that hangs: the check times out, and is down', async () => {
    await using metered = await MeteredNode.start()
    const script = `const db = new (require('node:sqlite').DatabaseSync)(process.argv[1]);
      db.exec('BEGIN EXCLUSIVE'); console.log('held'); setInterval(() => {}, 1000)`
    const before = await freshScrape(metered.node.ports.internal)
    const holder = spawn(process.execPath, ['-e', script, join(metered.node.dataDirectory, 'guts.db')], {
      env: cleanEnvironment(),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const up = keyOf('guts_health_check_up', { check: 'storage' })
    try {
      await once(holder.stdout, 'data')
      await settlesAt(metered.node, up).toBe(0)
    } finally {
      holder.kill('SIGKILL')
    }
    await settlesAt(metered.node, up).toBe(1)
    const changed = changes(before, await scrapeSeries(metered.node), [])
    expect(changed[keyOf('guts_timeouts_total', { operation: 'health_check' })]).toBeGreaterThanOrEqual(1)
  })

  it('a peer that connects and leaves', async () => {
    await using first = await NodeProcess.start()
    const [{ peer_id: peerId } = {}] = first.lines().filter(({ msg }) => msg === 'Started')
    const bootstrap = {
      GUTS_BOOTSTRAP_PEERS: `/ip4/127.0.0.1/tcp/${first.ports.p2p}/p2p/${String(peerId)}`,
      GUTS_PRIVATE_KEY: '77'.repeat(32),
    }
    await expectChange(first.ports.internal, async () => {
      await using second = await NodeProcess.start({ environment: bootstrap })
      await settlesAt(first, 'guts_p2p_peers_connected').toBe(1)
      expect((await scrapeSeries(second)).get('guts_p2p_peers_connected')).toBe(1)
      return {}
    })
    await settlesAt(first, 'guts_p2p_peers_connected').toBe(0)
  })

  it('an event loop whose delay is measured, and a build that is named', async () => {
    await using metered = await MeteredNode.start()
    const delays = new Set<number | undefined>()
    await expect
      .poll(
        async () => delays.add((await scrapeSeries(metered.node)).get('guts_event_loop_delay_seconds')).size,
        PATIENCE,
      )
      .toBeGreaterThan(2)
    const builds = [...(await scrapeSeries(metered.node))].filter(([key]) => key.startsWith('guts_build_info'))
    expect(builds).toEqual([[keyOf('guts_build_info', { version: '0.1.0', node: process.version }), 1]])
  })

  it('values that cannot be had: the gauge keeps its old one, once for each try', async () => {
    await using metered = await MeteredNode.start()
    const { node } = metered
    const away = `${node.dataDirectory}-away`
    const key = 'guts_metrics_collection_failures_total'
    expect((await scrapeSeries(node)).get(key)).toBe(0)
    renameSync(node.dataDirectory, away)
    try {
      await settlesAt(node, key).toBeGreaterThanOrEqual(2)
    } finally {
      renameSync(away, node.dataDirectory)
    }
    await freshScrape(node.ports.internal)
    const failures = (await scrapeSeries(node)).get(key)
    await expect
      .poll(() => node.lines().filter(({ msg }) => msg === 'A gauge kept its old value').length, PATIENCE)
      .toBe(failures)
  })

  it('log lines that nobody can take', async () => {
    await using node = await NodeProcess.start({ script: join(import.meta.dirname, 'support/unwritable-output.ts') })
    await settlesAt(node, 'guts_log_losses_total').toBeGreaterThan(0)
    // And it serves all the same.
    expect((await ask(node.ports.api, { path: '/api/repos' })).status).toBe(200)
  })
})
