import { multiaddr } from '@multiformats/multiaddr'
import type { Libp2p } from 'libp2p'
import { newOperation, runInContext } from '../observability/context.ts'
import type { Logger } from '../observability/logging.ts'

const EVERY_MS = 1_000
/** Between two attempts at one peer: doubled with each failure, up to this. */
const PAUSE_MS_MAX = 30_000

interface Target {
  readonly address: string
  readonly peerId: string
  failures: number
  nextAtMs: number
  dialling: boolean
}

/**
 * Keeps a connection to each bootstrap peer and each home of a mirror, for as long as the node runs. libp2p's own module dials once, a second
 * after the start, and a node whose peer comes up later would stay alone.
 */
export class BootstrapDialler {
  readonly #libp2p: Libp2p
  readonly #logger: Logger
  readonly #timeoutMs: number
  readonly #fixed: readonly string[]
  readonly #targets = new Map<string, Target>()
  readonly #stopping = new AbortController()
  readonly #running = new Set<Promise<void>>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: { addresses: readonly string[]; timeoutMs: number; libp2p: Libp2p; logger: Logger }) {
    this.#libp2p = options.libp2p
    this.#logger = options.logger
    this.#timeoutMs = options.timeoutMs
    this.#fixed = options.addresses
    this.setTargets([])
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), EVERY_MS).unref()
    this.#tick()
  }

  /** Addresses besides those of the configuration: homes of what is mirrored here. */
  setTargets(addresses: readonly string[]): void {
    const wanted = new Set([...this.#fixed, ...addresses])
    for (const address of this.#targets.keys()) if (!wanted.has(address)) this.#targets.delete(address)
    for (const address of wanted) {
      if (this.#targets.has(address)) continue
      // Only addresses that end in /p2p/ID were taken, from the configuration and the command line.
      const peerId = address.slice(address.lastIndexOf('/') + 1)
      this.#targets.set(address, { address, peerId, failures: 0, nextAtMs: 0, dialling: false })
    }
  }

  /** Where this peer was said to be, whatever it says itself. */
  addressesOf(peerId: string): string[] {
    return [...this.#targets.values()].flatMap((target) => (target.peerId === peerId ? target.address : []))
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#stopping.abort()
    await Promise.all(this.#running)
  }

  #tick(): void {
    const connected = new Set(this.#libp2p.getPeers().map(String))
    const now = performance.now()
    for (const target of this.#targets.values()) {
      if (target.dialling || target.nextAtMs > now || connected.has(target.peerId)) continue
      const attempt = runInContext(newOperation('p2p_bootstrap'), () => this.#dial(target))
      this.#running.add(attempt)
      void attempt.finally(() => this.#running.delete(attempt))
    }
  }

  async #dial(target: Target): Promise<void> {
    target.dialling = true
    try {
      const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(this.#timeoutMs)])
      await this.#libp2p.dial(multiaddr(target.address), { signal })
      target.failures = 0
      target.nextAtMs = 0
      this.#logger.info({ peer: target.peerId }, 'Connected to a peer that was asked for')
    } catch (error) {
      if (this.#stopping.signal.aborted) return
      target.failures++
      target.nextAtMs = performance.now() + Math.min(PAUSE_MS_MAX, EVERY_MS * 2 ** Math.min(target.failures, 10))
      // Told once and not with every attempt.
      const level = target.failures === 1 ? 'warn' : 'debug'
      this.#logger[level]({ err: error, peer: target.peerId }, 'A peer cannot be reached; trying again')
    } finally {
      target.dialling = false
    }
  }
}
