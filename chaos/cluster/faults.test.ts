/** That what is done to a link is what its name says, by what both ends of a connection see. */
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { toolThere } from '../../harness/tools.ts'
import { temporaryFolder } from '../../integration/support/git.ts'
import type { Action } from '../history.ts'
import type { Injected } from '../nemesis.ts'
import { type FaultParts, inject, moment, packsIn } from './faults.ts'
import { expectAnswer, HELLO, lookAt } from './probe.ts'
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
    server = createServer((socket) => {
      const end = new End(socket)
      accepted.push(end)
      socket.on('data', () => end.received === HELLO && socket.write(HELLO))
    })
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

  const begin = (action: Action): Promise<Injected> => inject(action, parts({ link: () => link }))

  it('answers, and shows no effect of what is not done to it', async () => {
    await expectAnswer(LINK, link.port)
    const actions: Parameters<typeof lookAt>[0][] = [
      { kind: 'cut', link: LINK },
      { kind: 'reset', link: LINK },
      { kind: 'black-hole', link: LINK, towards: 'home' },
      { kind: 'slow', link: LINK, latencyMs: 30_000, rateKBps: 1 },
    ]
    const looks = actions.map((action) => lookAt(action, link.port))
    await vi.waitFor(() => expect(accepted.filter(({ received }) => received === HELLO).length).toBeGreaterThan(6))
    // What was answered here is on its way to the other end.
    await expectAnswer(LINK, link.port)
    expect(await Promise.all(looks.map((look) => look()))).toEqual([undefined, undefined, undefined, undefined])
  })

  it('loses what goes to the home, and only that', async () => {
    const { home, mirror } = await open()
    const end = await begin({ kind: 'black-hole', link: LINK, towards: 'home' })
    mirror.socket.write('lost')
    home.socket.write('arrives')
    await vi.waitFor(() => expect(mirror.received).toBe('arrives'))
    expect(await end.effect()).toMatch(/^a new connection had no answer/)
    await end.takeBack()
    await vi.waitFor(() => expect(home.closed).toBe(true))
    expect(home.received).toBe('')
  })

  it('loses what goes to the mirror, and only that', async () => {
    const { home, mirror } = await open()
    const end = await begin({ kind: 'black-hole', link: LINK, towards: 'mirror-1' })
    home.socket.write('lost')
    mirror.socket.write('arrives')
    await vi.waitFor(() => expect(home.received).toBe('arrives'))
    expect(await end.effect()).toMatch(/^a new connection had no answer/)
    await end.takeBack()
    await vi.waitFor(() => expect(mirror.closed).toBe(true))
    expect(mirror.received).toBe('')
  })

  it('cut, loses everything, also of connections that come later, until it is healed', async () => {
    const { home, mirror } = await open()
    const end = await begin({ kind: 'cut', link: LINK })
    home.socket.write('lost')
    mirror.socket.write('lost')
    const late = new End(connect(link.port, '127.0.0.1'))
    late.socket.write('lost')
    expect(await end.effect()).toMatch(/^a new connection had no answer/)

    await end.takeBack()
    await vi.waitFor(() => expect([home.closed, mirror.closed, late.closed]).toEqual([true, true, true]))
    expect([home.received, mirror.received]).toEqual(['', ''])
    expect(accepted.filter(({ received }) => received.includes('lost'))).toEqual([])
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
    expect(await end.effect()).toMatch(/^a new connection broke/)
    await end.takeBack()
    await open()
  })

  it('slow, brings everything all the same', async () => {
    const { home, mirror } = await open()
    const end = await begin({ kind: 'slow', link: LINK, latencyMs: 20, rateKBps: 500 })
    mirror.socket.write('m'.repeat(50_000))
    home.socket.write('h'.repeat(50_000))
    await vi.waitFor(() => expect([home.received.length, mirror.received.length]).toEqual([50_000, 50_000]), 10_000)
    expect(await end.effect()).toMatch(/^an answer took/)
    await end.takeBack()
    mirror.socket.destroy()
  })
})

describe('a kill', () => {
  const stack = new DisposableStack()
  afterAll(() => stack.dispose())

  /** A quarantine with what is in it beside packs that are taken. */
  function quarantine(): string {
    const { path } = stack.use(temporaryFolder('quarantine'))
    writeFileSync(join(path, 'made-for-a-fetch.pack'), '')
    writeFileSync(join(path, 'health.probe'), '')
    mkdirSync(join(path, 'just-begun'))
    return path
  }

  const kill = (during: 'push' | 'apply', afterMs = 0): Action => ({ kind: 'kill', node: 'mirror-1', during, afterMs })

  it('waits for a pack, and for nothing less', async () => {
    const path = quarantine()
    const steps: string[] = []
    const met = moment(kill('apply', 30), parts({ quarantine: () => path })).then(() => steps.push('met'))
    // Each of these is a change that the quarantine sees all the time.
    for (let at = 0; at < 20; at++) {
      writeFileSync(join(path, `${at}.probe`), '')
      await new Promise((resolve) => void setImmediate(resolve))
    }
    steps.push('a pack')
    writeFileSync(join(path, 'just-begun/incoming.pack'), '')
    await met
    expect(steps).toEqual(['a pack', 'met'])
  })

  it('waits for a push that is still under way then, and lets quicker ones go', async () => {
    let begun = 0
    const nextPush = async (): Promise<void> => void begun++
    await moment(kill('push', 8), { ...parts({}), nextPush, isPushing: () => begun === 4 })
    expect(begun).toBe(4)
  })

  it.each([
    { name: 'a mirror with a pack half taken', during: 'apply', packs: 1, effect: 'a pack lay there half taken' },
    { name: 'a mirror that was taking nothing', during: 'apply', packs: 0, effect: undefined },
    { name: 'a home that is pushed to', during: 'push', pushing: true, effect: 'a push was under way' },
    { name: 'a home with nobody around', during: 'push', pushing: false, packs: 1, effect: undefined },
  ] as const)('says what it met: $name', async ({ during, effect, ...there }) => {
    const path = quarantine()
    const { packs = 0, pushing = false } = { packs: undefined, pushing: undefined, ...there }
    if (packs > 0) writeFileSync(join(path, 'just-begun/incoming.pack'), '')
    expect(packsIn(path)).toBe(packs)
    let killed = 0
    const cluster = { quarantine: () => path, kill: async () => void killed++ }
    const injected = await inject(kill(during), { ...parts(cluster), isPushing: () => pushing })
    expect([killed, await injected.effect()]).toEqual([1, effect])
  })
})

/** A cluster of which there is only this. */
function parts(cluster: Partial<FaultParts['cluster']>): FaultParts {
  const missing = (): never => {
    throw new Error('The cluster of this test has no such thing')
  }
  return {
    cluster: { link: missing, kill: missing, restart: missing, quarantine: missing, ...cluster },
    nextPush: () => Promise.resolve(),
    isPushing: () => false,
    signal: new AbortController().signal,
  }
}

function notYet(): never {
  throw new Error('It has not arrived yet')
}
