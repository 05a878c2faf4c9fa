import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { expect, it, vi } from 'vitest'
import { RawExchange } from './raw-exchange.ts'

it('asks over a new connection where the host closed the last one meanwhile', async () => {
  const server = createServer((_request, response) => response.setHeader('Connection', 'close').end('fine'))
  const sockets: Socket[] = []
  server.on('connection', (socket) => sockets.push(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const exchange = new RawExchange(new URL(`http://127.0.0.1:${port}`))
  const ask = (): Promise<number> => exchange.ask({ method: 'GET', path: '/', headers: [], body: [] })
  expect(await ask()).toBe(4)
  await vi.waitFor(() => expect(sockets[0]?.closed).toBe(true))
  // Here it may be known a moment later.
  expect(await vi.waitFor(ask)).toBe(4)
  expect(sockets.length).toBeGreaterThan(1)
  exchange.close()
  server.close()
})
