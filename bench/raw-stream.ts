/**
 * The anchor of replication: a libp2p host of the same parts, which only sends bytes, or what it was sent. Run as a
 * program it prints its address.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { lpStream } from '@libp2p/utils'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import type { Connection } from '@libp2p/interface'

const RAW_PROTOCOL = '/guts-bench/raw'
const ECHO_PROTOCOL = '/guts-bench/echo'
const PIECE = Buffer.alloc(256 * 1024, 7)
/** About that of a request for the state of one repository, and of its answer. */
const SMALL_MESSAGE = Buffer.alloc(200, 7)

const parts = { transports: [tcp()], connectionEncrypters: [noise()], streamMuxers: [yamux()] }

/** A connection to that host in a process of its own. */
export class RawPeer implements AsyncDisposable {
  readonly #connection: Connection
  readonly #stack: AsyncDisposableStack

  private constructor(connection: Connection, stack: AsyncDisposableStack) {
    this.#connection = connection
    this.#stack = stack
  }

  static async start(): Promise<RawPeer> {
    await using stack = new AsyncDisposableStack()
    const child = spawn(process.execPath, [import.meta.filename], { stdio: ['ignore', 'pipe', 'inherit'] })
    stack.defer(() => void child.kill())
    const libp2p = await createLibp2p(parts)
    stack.defer(async () => libp2p.stop())
    const [address] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string]
    const connection = await libp2p.dial(multiaddr(address.trim()))
    return new RawPeer(connection, stack.move())
  }

  /** So many bytes of the host, after four that ask for them. */
  async receive(bytes: number): Promise<void> {
    const stream = await this.#connection.newStream(RAW_PROTOCOL)
    const wanted = Buffer.alloc(4)
    wanted.writeUInt32BE(bytes)
    stream.send(wanted)
    let got = 0
    for await (const piece of stream) got += piece.byteLength
    if (got !== bytes) throw new Error(`The raw stream brought ${got} of ${bytes} bytes`)
  }

  /** A small message and its answer, on a stream of their own. */
  async echo(): Promise<void> {
    const stream = await this.#connection.newStream(ECHO_PROTOCOL)
    const messages = lpStream(stream)
    await messages.write(SMALL_MESSAGE)
    await messages.read()
    await stream.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }
}

if (import.meta.main) {
  const libp2p = await createLibp2p({ ...parts, addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] } })
  await libp2p.handle(RAW_PROTOCOL, async (stream) => {
    const [wanted] = (await once(stream, 'message')) as [{ data: Uint8Array | { subarray(): Uint8Array } }]
    for (let left = Buffer.from(wanted.data.subarray()).readUInt32BE(); left > 0; left -= PIECE.length) {
      if (!stream.send(PIECE.subarray(0, Math.min(PIECE.length, left)))) await stream.onDrain()
    }
    await stream.close()
  })
  await libp2p.handle(ECHO_PROTOCOL, async (stream) => {
    const messages = lpStream(stream)
    await messages.write(await messages.read())
    await stream.close()
  })
  console.log(String(libp2p.getMultiaddrs()[0]))
}
