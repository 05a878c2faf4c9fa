/** Samples where the main thread of a process spends its time, from outside (Chrome DevTools Protocol, "Profiler"). */
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { NodeProcess } from '../../integration/support/node-process.ts'
import type { Profile } from './layers.ts'

/** The inspector listens where it likes, once it is asked to. */
export const PROFILED_ENVIRONMENT = { NODE_OPTIONS: '--inspect-port=127.0.0.1:0' } as const

const SAMPLE_US = 100
const LISTENS_WITHIN_MS = 10_000
const LOOK_MS = 20

interface Reply {
  readonly id: number
  readonly result: unknown
  readonly error?: { readonly message: string }
}

/** @param node began with `PROFILED_ENVIRONMENT` */
export async function profileDuring(node: NodeProcess, work: () => Promise<unknown>): Promise<Profile> {
  node.signal('SIGUSR1')
  const socket = new WebSocket(await addressOf(node))
  await once(socket, 'open')
  try {
    const calls = new Map<number, (reply: Reply) => void>()
    socket.addEventListener('message', ({ data }) => {
      const reply = JSON.parse(String(data)) as Reply
      calls.get(reply.id)?.(reply)
    })
    const call = async (method: string, params: object = {}): Promise<unknown> => {
      const id = calls.size + 1
      const { result, error } = await new Promise<Reply>((resolve) => {
        calls.set(id, resolve)
        socket.send(JSON.stringify({ id, method, params }))
      })
      if (error !== undefined) throw new Error(`${method}: ${error.message}`)
      return result
    }
    await call('Profiler.enable')
    await call('Profiler.setSamplingInterval', { interval: SAMPLE_US })
    await call('Profiler.start')
    await work()
    const { profile } = (await call('Profiler.stop')) as { profile: Profile }
    return profile
  } finally {
    socket.close()
  }
}

async function addressOf(node: NodeProcess): Promise<string> {
  for (let waitedMs = 0; waitedMs < LISTENS_WITHIN_MS; waitedMs += LOOK_MS) {
    const [, address] = /Debugger listening on (ws:\S+)/.exec(node.stderr) ?? []
    if (address !== undefined) return address
    await delay(LOOK_MS)
  }
  throw new Error(`The inspector did not listen:\n${node.stderr}`)
}
