import { createServer } from 'node:net'

/** Below the ports that systems hand out by themselves: no connection and no listener on port 0 comes in between. */
const FIRST_PORT = 12_000
const BLOCK_PORTS = 2_000
const BLOCKS = 8

/** Workers of one test run that are at work at once have different numbers; so none takes what another one was given. */
const block = Number(process.env['VITEST_POOL_ID'] ?? process.pid) % BLOCKS
let next = (process.pid * 7) % BLOCK_PORTS

/** Ports that nobody listens on now, each given out once before the block begins anew. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  for (let tried = 0; ports.length < count; tried++) {
    if (tried === BLOCK_PORTS) throw new Error('No port is free')
    const port = FIRST_PORT + block * BLOCK_PORTS + (next++ % BLOCK_PORTS)
    if (await isFree(port)) ports.push(port)
  }
  return ports
}

function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
