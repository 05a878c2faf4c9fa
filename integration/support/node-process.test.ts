/** What tests wait for, by a node that takes its time, and by one that hangs. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { temporaryFolder } from './git.ts'
import { NodeProcess, type NodeProcessOptions } from './node-process.ts'

const folder = temporaryFolder('node-process')
afterAll(() => folder[Symbol.dispose]())

/** Listens on its API address when it has been asked three times whether it has started. */
const SLOW = `
  import { createServer } from 'node:http'
  const address = (text) => ({ host: text.split(':')[0], port: Number(text.split(':')[1]) })
  const api = createServer((_, response) => response.end('{}'))
  let asked = 0
  createServer((request, response) => {
    const answer = (status) => response.writeHead(status).end('{}')
    if (request.url !== '/health/startup') return answer(503)
    if (++asked < 3) return answer(503)
    if (asked > 3) return answer(200)
    api.listen(address(process.env.GUTS_API_ADDR), () => answer(200))
  }).listen(address(process.env.GUTS_METRICS_ADDR))
`

function start(waitFor: NodeProcessOptions['waitFor']): Promise<NodeProcess> {
  const script = join(folder.path, 'slow.mjs')
  writeFileSync(script, SLOW)
  return NodeProcess.start({ script, waitFor: waitFor ?? 'ready' })
}

it('a node has started when its API answers, and is live before', async () => {
  await using live = await start('live')
  await expect(live.api('/')).rejects.toThrow('fetch failed')
  expect(await live.started()).toBe(false)
  await using started = await start('started')
  expect((await started.api('/')).status).toBe(200)
})

it('a node that hangs is not waited for without end', async () => {
  await using node = await start('started')
  node.signal('SIGSTOP')
  const asked = [node.started(), node.readiness(), node.metric('x').catch(String)]
  expect(await Promise.all(asked)).toEqual([false, undefined, expect.stringContaining('TimeoutError')])
})
