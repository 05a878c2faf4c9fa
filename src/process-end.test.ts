import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'

const LINES = 5_000

/** Runs a process that logs, does something while its lines are being written, and logs nothing more. */
async function run(end: string): Promise<{ code: number | null; lines: Record<string, unknown>[] }> {
  const script = `
    import { createLogger } from '${new URL('observability/logging.ts', import.meta.url).href}'
    import { endProcessInOrder } from '${new URL('process-end.ts', import.meta.url).href}'
    const logging = createLogger({ level: 'info', format: 'json' })
    let stop = () => new Promise(() => {})
    let stopMsMax = 60_000
    const signal = (name) => process.kill(process.pid, name)
    const begin = () => endProcessInOrder({ logging, stop, stopMsMax })
    for (let number = 0; number < ${LINES}; number++) {
      logging.logger.info({ number }, 'x'.repeat(100))
      // A write is under way, and more lines wait behind it.
      if (number === ${LINES - 10}) await new Promise((resolve) => setImmediate(resolve))
    }
    setInterval(() => {}, 60_000)
    ${end}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece))
  const [code] = (await once(child, 'close')) as [number | null]
  const lines = text.trimEnd().split('\n')
  return { code, lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>) }
}

describe('the end of a process', () => {
  it.each([
    { name: 'a signal', end: `stop = async () => {}; begin(); signal('SIGTERM')`, code: 0, says: ['asks the process'] },
    {
      name: 'a second signal',
      end: `begin(); signal('SIGTERM'); signal('SIGINT')`,
      code: 1,
      says: ['A signal asks the process to stop', 'A second signal ends the process at once'],
    },
    {
      name: 'the deadline',
      end: `stopMsMax = 1; begin(); signal('SIGHUP')`,
      code: 1,
      says: ['A signal asks the process to stop', 'The process did not stop in time and is ended'],
    },
    {
      name: 'an end that fails',
      end: `stop = () => Promise.reject(new Error('no')); begin(); signal('SIGQUIT')`,
      code: 1,
      says: ['A signal asks the process to stop', 'The process did not stop in order'],
    },
    {
      name: 'an error',
      end: `stop = async () => {}; begin(); throw new Error('uncaught')`,
      code: 1,
      says: ['An error that nobody caught; the process stops'],
    },
    {
      name: 'a rejection',
      end: `stop = async () => {}; begin(); void Promise.reject(new Error('uncaught'))`,
      code: 1,
      says: ['An error that nobody caught; the process stops'],
    },
    {
      name: 'a second error',
      end: `begin(); setImmediate(() => { throw new Error('two') }); throw new Error('one')`,
      code: 1,
      says: ['An error that nobody caught; the process stops', 'A second error ends the process at once'],
    },
  ])('$name: exits with $code, and every line is there in its order', async ({ end, code, says }) => {
    const ended = await run(end)
    expect(ended.code).toBe(code)
    const numbers = ended.lines.slice(0, LINES).map((line) => line['number'])
    expect(numbers).toEqual(Array.from({ length: LINES }, (_, number) => number))
    const last = ended.lines.slice(LINES).map((line) => line['msg'])
    expect(last).toEqual(says.map((text) => expect.stringContaining(text) as unknown))
  })
})
