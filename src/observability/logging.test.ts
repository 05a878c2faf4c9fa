import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { annotateContext, newOperation, runInContext } from './context.ts'
import { createLogger, type Logger } from './logging.ts'
import { registerSecret } from './redaction.ts'

let directory: string
let file: string
let destination: number

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'guts-log-'))
  file = join(directory, 'log')
  destination = openSync(file, 'a')
})

afterEach(() => {
  closeSync(destination)
  rmSync(directory, { recursive: true })
})

async function write(log: (logger: Logger) => void, format: 'json' | 'pretty' = 'json'): Promise<string> {
  const { logger, flush } = createLogger({ level: 'info', format, destination })
  log(logger)
  await flush()
  return readFileSync(file, 'utf8')
}

const parse = (text: string): Record<string, unknown>[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

describe('createLogger', () => {
  it('names its fields as the contract does', async () => {
    const text = await write((logger) =>
      runInContext(newOperation('boot'), () => {
        annotateContext({ userId: 'u1', repository: 'alice/site' })
        logger.info({ duration_ms: 3 }, 'Done')
        logger.debug('not at this level')
      }),
    )
    expect(parse(text)).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        msg: 'Done',
        request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
        span_id: expect.stringMatching(/^[0-9a-f]{16}$/),
        user_id: 'u1',
        repository: 'alice/site',
        operation: 'boot',
        duration_ms: 3,
      },
    ])
  })

  it('gives lines outside any work the id of the process', async () => {
    const [first, second] = parse(
      await write((logger) => (logger.info('one'), logger.child({ part: 'x' }).info('two'))),
    )
    expect(first?.['request_id']).toBe(second?.['request_id'])
    expect(first).toMatchObject({ operation: 'process', trace_id: expect.stringMatching(/^[0-9a-f]{32}$/) })
  })

  const secret = 'correct horse battery'
  registerSecret(secret)
  const token = 'guts_pat_Ab3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0dF3hJ6l123456'
  class Refused extends Error {
    readonly detail = { code: 'refused', headers: { authorization: `Bearer ${token}` } }
  }
  const planted: { name: string; log: (logger: Logger) => void }[] = [
    { name: 'a field', log: (logger) => logger.info({ token }) },
    { name: 'a number under a secret name', log: (logger) => logger.info({ password: 11223344 }) },
    {
      name: 'a list under a secret name',
      log: (logger) => logger.info({ x: { authorization: [secret, '11223344'] } }),
    },
    { name: 'a nested field', log: (logger) => logger.info({ req: { headers: { cookie: '11223344' } } }) },
    { name: 'a deep field', log: (logger) => logger.info({ a: { b: { c: { d: { private_key: '11223344' } } } } }) },
    { name: 'the message', log: (logger) => logger.info(`Refused ${token} and ${secret}`) },
    { name: 'an argument of the message', log: (logger) => logger.info('Refused %s', token) },
    {
      name: 'an error, its cause and its data',
      log: (logger) => logger.error(new Refused(token, { cause: new Error(secret) })),
    },
    { name: 'a child', log: (logger) => logger.child({ token, note: secret }).info('x') },
    { name: 'an address', log: (logger) => logger.info({ url: 'https://alice:11223344@example.org' }) },
    {
      name: 'the context',
      log: (logger) => runInContext({ ...newOperation(token), userId: secret }, () => logger.info('x')),
    },
  ]
  it.each(planted.flatMap((row) => (['json', 'pretty'] as const).map((format) => ({ ...row, format }))))(
    'keeps a secret planted in $name out of $format lines',
    async ({ log, format }) => {
      const text = await write(log, format)
      expect(text).toContain('[redacted]')
      for (const leak of [secret, token, token.slice(9), '11223344']) expect(text).not.toContain(leak)
    },
  )

  it('writes for people', async () => {
    const text = await write((logger) => logger.warn({ disk: 'full' }, 'Careful'), 'pretty')
    expect(text).toMatch(/WARN: Careful/)
    expect(text).toMatch(/disk: "full"/)
  })

  it('turns warnings of the runtime into lines', () => {
    const module = new URL('./logging.ts', import.meta.url).href
    const script = `
      import { createLogger, logProcessWarnings } from '${module}'
      logProcessWarnings(createLogger({ level: 'info', format: 'json' }).logger)
      process.emitWarning('careful')`
    const child = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', script], { encoding: 'utf8' })
    expect(child.stderr).toBe('')
    expect(parse(child.stdout)).toMatchObject([{ level: 'warn', err: { message: 'careful' } }])
  })

  it('writes a line that no other follows', async () => {
    const { logger } = createLogger({ level: 'info', format: 'json', destination })
    logger.info('alone')
    await vi.waitFor(() => expect(parse(readFileSync(file, 'utf8'))).toMatchObject([{ msg: 'alone' }]))
  })

  it('writes a line that came while a slow reader held up others', async () => {
    const pipe = join(directory, 'pipe')
    execFileSync('mkfifo', [pipe])
    const [writing, reading] = [openSync(pipe, 'r+'), openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK)]
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    try {
      const { logger } = createLogger({ level: 'info', format: 'json', destination: writing })
      // More than a pipe takes at once.
      logger.info({ much: 'x'.repeat(200_000) }, 'others')
      logger.info('meanwhile')
      vi.advanceTimersByTime(60_000)
      let text = ''
      await vi.waitFor(() => {
        const buffer = Buffer.alloc(2 ** 16)
        text += buffer.toString('utf8', 0, readSync(reading, buffer))
        expect(parse(text)).toMatchObject([{ msg: 'others' }, { msg: 'meanwhile' }])
      })
    } finally {
      vi.useRealTimers()
      closeSync(writing)
      closeSync(reading)
    }
  })

  it('survives an output that cannot be written, and says so', async () => {
    const readOnly = openSync(file, 'r')
    const lost = Promise.withResolvers<void>()
    const { logger } = createLogger({ level: 'info', format: 'json', destination: readOnly, onLoss: lost.resolve })
    logger.info('x')
    await lost.promise
    closeSync(readOnly)
  })

  it.each([
    { name: 'an exit', end: 'process.exit(3)' },
    { name: 'a crash', end: 'throw new Error("crash")' },
    { name: 'a rejection nobody handles', end: 'Promise.reject(new Error("crash"))' },
  ])('has every line out after $name', ({ end }) => {
    const module = new URL('./logging.ts', import.meta.url).href
    const script = `
      import { createLogger } from '${module}'
      const { logger } = createLogger({ level: 'info', format: 'json' })
      for (let i = 0; i < 5000; i++) logger.info({ i }, 'line')
      ${end}`
    const child = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', script], {
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    })
    expect(child.status).not.toBe(0)
    expect(parse(child.stdout).map((line) => line['i'])).toEqual(Array.from({ length: 5000 }, (_, i) => i))
  })
})
