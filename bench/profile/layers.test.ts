import { expect, it } from 'vitest'
import { ownShare, timeByLayer } from './layers.ts'

const frame = (id: number, functionName: string, url: string, children: number[] = []) => ({
  id,
  callFrame: { functionName, url },
  children,
})

it('gives each sample to the nearest caller that has a layer, and idle time to none', () => {
  const nodes = [
    frame(1, '(root)', '', [2, 3, 4, 12]),
    frame(2, '(idle)', ''),
    frame(3, '(garbage collector)', ''),
    frame(4, 'parserOnIncoming', 'node:_http_server', [5, 8, 10]),
    frame(5, 'handle', 'file:///x/node_modules/express/lib/router.js', [6, 7]),
    frame(6, 'emit', 'node:events'),
    frame(7, 'run', 'file:///x/src/transfer/fetch.ts'),
    frame(8, 'writevGeneric', 'node:internal/stream_base_commons', [9]),
    frame(9, 'writev', ''),
    frame(10, 'write', 'file:///x/node_modules/sonic-boom/index.js', [11]),
    frame(11, 'writeUtf8String', ''),
    frame(12, 'processTicksAndRejections', 'node:internal/process/task_queues'),
  ]
  const samples = [2, 3, 4, 5, 6, 7, 9, 11, 12, 9]
  const timeDeltas = samples.map((_, at) => 1_000 * 2 ** at)
  expect(Object.fromEntries(timeByLayer({ nodes, samples, timeDeltas }))).toEqual({
    'garbage collection': 2,
    'node:http and node:net': 4,
    'Express and helmet': 8 + 16,
    git: 32,
    'system calls of sockets': 64 + 512,
    'log line': 128,
    'everything else': 256,
  })
})

it('takes for our own what our code spends itself and with Node, and nothing else', () => {
  const nodes = [
    frame(1, '(root)', '', [2, 3, 4]),
    frame(2, '(idle)', ''),
    frame(3, '(program)', ''),
    frame(4, 'work', 'file:///x/src/http/dispatch.ts', [5, 7, 9]),
    frame(5, 'hash', 'node:internal/crypto/hash', [6]),
    frame(6, 'oneShotDigest', ''),
    frame(7, 'end', 'node:_http_outgoing', [8]),
    frame(8, 'writev', ''),
    frame(9, 'info', 'file:///x/node_modules/pino/lib/tools.js', [10]),
    frame(10, 'stringify', ''),
  ]
  const samples = [2, 3, 4, 5, 6, 7, 8, 9, 10]
  const timeDeltas = samples.map((_, at) => 2 ** at)
  expect(ownShare({ nodes, samples, timeDeltas })).toBe((4 + 8 + 16) / (511 - 1))
})
