import { once } from 'node:events'
import { connect } from 'node:net'
import { reachableHost } from '../config/network-values.ts'
import type { HealthCheck } from '../health/check.ts'

export interface ListeningCheckParts {
  readonly host: string
  /** undefined while nothing listens. */
  readonly port: () => number | undefined
  readonly peers: () => number
  readonly minPeers: number
}

/** Up when the port really takes connections and there are enough peers. */
export function listeningCheck({ host, port, peers, minPeers }: ListeningCheckParts): HealthCheck {
  return {
    name: 'p2p',
    async check(signal) {
      const listening = await takesConnections(reachableHost(host), port(), signal)
      const count = peers()
      return { status: listening && count >= minPeers ? 'up' : 'down', peers: count }
    },
  }
}

async function takesConnections(host: string, port: number | undefined, signal: AbortSignal): Promise<boolean> {
  if (port === undefined) return false
  const socket = connect({ host, port })
  try {
    await once(socket, 'connect', { signal })
    return true
  } catch (error) {
    if (signal.aborted) throw error
    return false
  } finally {
    socket.destroy()
  }
}
