/** A home that says what a test wants it to: a libp2p host of its own, and the messages of the shipped codec. */
import { setTimeout as delay } from 'node:timers/promises'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { lpStream } from '@libp2p/utils'
import { yamux } from '@libp2p/yamux'
import { createLibp2p, type Libp2p } from 'libp2p'
import { decodeRequest, encodeMessage, type Exchange, type Head, type Request } from '../../src/p2p/wire/messages.ts'
import {
  encodeEntry,
  hashEntry,
  type LogEntry,
  NO_HASH,
  type SignedEntry,
  signerOf,
} from '../../src/storage/repositories/ref-log.ts'

export const FAKE_SEED = new Uint8Array(Buffer.from('fa'.repeat(32), 'hex'))

/** Bytes of the answer as they go into its frame, and those after it; undefined: nothing is ever said. */
export interface Reply {
  readonly message: Uint8Array
  readonly after?: Uint8Array
  /** Before it, so many promises that it will come, each this much later than the one before. */
  readonly promised?: { readonly times: number; readonly everyMs: number }
}

type Respond<E extends Exchange> = (request: Request<E>) => Reply | undefined

export type Responses = { readonly [E in Exchange]?: Respond<E> }

/** A repository that the home says it has. */
export interface Told {
  readonly repository: string
  readonly name: string
}

/** Entry 1 of a log that makes `refs/heads/main`, each part as it should be unless said otherwise. */
export function firstEntry(
  { repository }: Told,
  newOid: string,
  but: Partial<LogEntry> = {},
  seed: Uint8Array = FAKE_SEED,
): SignedEntry {
  const changes = [{ ref: 'refs/heads/main', oldOid: undefined, newOid }]
  const entry = { repository, sequence: 1, timeMs: 1, previous: NO_HASH, head: undefined, changes }
  const bytes = encodeEntry({ ...entry, ...but })
  return { bytes, signature: signerOf(seed).sign(bytes) }
}

export function headAt({ repository, name }: Told, entry: SignedEntry): Head {
  const names = { repository, owner: 'alice', name, description: '', head: 'refs/heads/main' }
  return { ...names, sequence: 1, hash: hashEntry(entry.bytes) }
}

export const statusReply =
  (...heads: Head[]): Respond<'status'> =>
  ({ id }) => ({ message: encodeMessage({ v: 1, id, type: 'status', url: null, heads, next: null }) })

export const logReply =
  (...entries: SignedEntry[]): Respond<'log'> =>
  ({ id }) => ({
    message: encodeMessage({ v: 1, id, type: 'log', entries: entries.map((one) => [one.bytes, one.signature]) }),
  })

export const packReply =
  (pack: Buffer): Respond<'pack'> =>
  ({ id }) => ({
    message: encodeMessage({
      v: 1,
      id,
      type: 'pack',
      bytes: pack.length,
      objects: 1,
      offset: 0,
      checksum: pack.subarray(-20),
    }),
    after: pack,
  })

export class FakeHome implements AsyncDisposable {
  readonly #libp2p: Libp2p
  /** Requests that came, by exchange. */
  readonly asked: Record<Exchange, number> = { status: 0, log: 0, pack: 0 }
  /** Streams that the asker ended before an answer came. */
  resets = 0
  responses: Responses = {}

  private constructor(libp2p: Libp2p) {
    this.#libp2p = libp2p
  }

  static async start(responses: Responses = {}): Promise<FakeHome> {
    const libp2p = await createLibp2p({
      privateKey: await generateKeyPairFromSeed('Ed25519', FAKE_SEED),
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      services: { identify: identify(), ping: ping() },
    })
    const home = new FakeHome(libp2p)
    home.responses = responses
    for (const exchange of ['status', 'log', 'pack'] as const) {
      await libp2p.handle(`/guts/${exchange}/1.0.0`, (stream) => home.#serve(exchange, stream))
    }
    return home
  }

  get peerId(): string {
    return this.#libp2p.peerId.toString()
  }

  get address(): string {
    return String(this.#libp2p.getMultiaddrs()[0])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#libp2p.stop()
  }

  async #serve(exchange: Exchange, stream: Stream): Promise<void> {
    this.asked[exchange]++
    stream.addEventListener('close', ({ error }) => {
      if (error !== undefined) this.resets++
    })
    try {
      const messages = lpStream(stream)
      const request = decodeRequest(exchange, (await messages.read()).subarray())
      const reply = (this.responses[exchange] as Respond<Exchange> | undefined)?.(request)
      if (reply === undefined) return
      const { times, everyMs } = reply.promised ?? { times: 0, everyMs: 0 }
      for (let promise = 0; promise < times; promise++) {
        await messages.write(encodeMessage({ v: 1, id: request.id, type: 'wait' }))
        await delay(everyMs)
      }
      await messages.write(reply.message)
      if (reply.after !== undefined) stream.send(reply.after)
      await stream.close()
    } catch {
      // Who is lied to hangs up.
    }
  }
}
