/** That what is done to a link is what its name says, by what both ends of a connection see. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { toolThere } from '../../harness/tools.ts'
import { temporaryFolder } from '../../integration/support/git.ts'
import type { Action } from '../history.ts'
import { inject, type TakeBack } from './faults.ts'
import { type Link, ToxiproxyServer } from './toxiproxy.ts'

const TOXIPROXY = toolThere('toxiproxy-server')
const LINK = 'home--mirror-1'

/** One end of a connection, and what came out of it. */
class End {
  received = ''
  error = ''
  closed = false
  readonly socket: Socket

  constructor(socket: Socket) {
    this.socket = socket
    socket.setEncoding('utf8').on('data', (text: string) => (this.received += text))
    socket.on('error', (error) => (this.error = 'code' in error ? String(error.code) : error.message))
    socket.on('close', () => (this.closed = true))
  }
}

describe.skipIf(TOXIPROXY === undefined)(`a link (${TOXIPROXY ?? 'toxiproxy-server is not there'})`, () => {
  const stack = new AsyncDisposableStack()
  const accepted: End[] = []
  let server: Server
  let link: Link

  beforeAll(async () => {
    server = createServer((socket) => void accepted.push(new End(socket)))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const folder = stack.use(temporaryFolder('links'))
    const toxiproxy = stack.use(await ToxiproxyServer.start(TOXIPROXY ?? '', folder.path))
    link = await toxiproxy.link(LINK, (server.address() as AddressInfo).port)
  })

  afterAll(async () => {
    for (const { socket } of accepted) socket.destroy()
    server.close()
    await stack.disposeAsync()
  })

  let opened = 0

  /** A connection through the link: the mirror dials, the home listens. */
  async function open(): Promise<{ home: End; mirror: End }> {
    const text = `${++opened}.`
    const mirror = new End(connect(link.port, '127.0.0.1'))
    mirror.socket.write(text)
    const home = await vi.waitFor(() => accepted.find(({ received }) => received === text) ?? notYet())
    home.received = ''
    return { home, mirror }
  }

  const begin = (action: Action): Promise<TakeBack> => {
    const nobody = (): Promise<never> => Promise.reject(new Error('no node is killed here'))
    return inject(action, { link: () => link, kill: nobody, restart: nobody })
  }

  it('loses what goes to the home, and only that', async () => {
    const { home, mirror } = await open()
    const end = await begin({ kind: 'black-hole', link: LINK, towards: 'home' })
    mirror.socket.write('lost')
    home.socket.write('arrives')
    await vi.waitFor(() => expect(mirror.received).toBe('arrives'))
    await end()
    await vi.waitFor(() => expect(home.closed).toBe(true))
    expect(home.received).toBe('')
  })

  it('loses what goes to the mirror, and only that', async () => {
    const { home, mirror } = await open()
    const end = await begin({ kind: 'black-hole', link: LINK, towards: 'mirror-1' })
    home.socket.write('lost')
    mirror.socket.write('arrives')
    await vi.waitFor(() => expect(home.received).toBe('arrives'))
    await end()
    await vi.waitFor(() => expect(mirror.closed).toBe(true))
    expect(mirror.received).toBe('')
  })

  it('cut, loses everything, also of connections that come later, until it is healed', async () => {
    const { home, mirror } = await open()
    const end = await begin({ kind: 'cut', link: LINK })
    home.socket.write('lost')
    mirror.socket.write('lost')
    const before = accepted.length
    const late = new End(connect(link.port, '127.0.0.1'))
    late.socket.write('lost')
    await vi.waitFor(() => expect(accepted.length).toBe(before + 1))
    await end()
    await vi.waitFor(() => expect([home.closed, mirror.closed, late.closed]).toEqual([true, true, true]))
    expect([home.received, mirror.received, accepted.at(-1)?.received]).toEqual(['', '', ''])
    await open()
  })

  it('flapping, ends connections that are used, resets new ones, and does so no more when that is over', async () => {
    const { mirror } = await open()
    const end = await begin({ kind: 'reset', link: LINK })
    mirror.socket.write('x')
    await vi.waitFor(() => expect(mirror.closed).toBe(true))
    const late = new End(connect(link.port, '127.0.0.1'))
    late.socket.write('x')
    await vi.waitFor(() => expect(late.error).toBe('ECONNRESET'))
    await end()
    await open()
  })

  it('slow, brings everything all the same', async () => {
    const { home, mirror } = await open()
    const end = await begin({ kind: 'slow', link: LINK, latencyMs: 20, rateKBps: 500 })
    mirror.socket.write('m'.repeat(50_000))
    home.socket.write('h'.repeat(50_000))
    await vi.waitFor(() => expect([home.received.length, mirror.received.length]).toEqual([50_000, 50_000]), 10_000)
    await end()
    mirror.socket.destroy()
  })
})

function notYet(): never {
  throw new Error('It has not arrived yet')
}
