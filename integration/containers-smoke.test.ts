/** The image, built of what is here and started once; all of it is `npm run integration -- containers`. */
import { expect, it } from 'vitest'
import { Engine, engineLack } from './containers/engine.ts'
import { buildNodeImage } from './containers/images.ts'

const LACK = engineLack()
const PORT = 9090

it.skipIf(LACK !== undefined)(`the image is built and gets ready${LACK === undefined ? '' : `; ${LACK}`}`, async () => {
  await using engine = await Engine.open()
  const image = await buildNodeImage(engine)
  const key = `GUTS_PRIVATE_KEY=${'5ecd'.repeat(16)}`
  const publish = ['--publish', `127.0.0.1::${PORT}`]
  const id = await engine.run(
    'run',
    '--detach',
    '--read-only',
    ...publish,
    '--env',
    key,
    '--env',
    'GUTS_MIN_FREE_MB=0',
    image,
  )
  const [address = ''] = (await engine.run('port', id, String(PORT))).split('\n')
  const ready = async (): Promise<unknown> => {
    const response = await fetch(`http://${address}/health/ready`).catch(() => undefined)
    return response?.json()
  }
  await expect.poll(ready, { timeout: 60_000 }).toMatchObject({ status: 'ready' })
  await engine.run('stop', '--time', '30', id)
  expect(await engine.run('inspect', '--format', '{{.State.ExitCode}}', id)).toBe('0')
  await engine.run('rm', '--volumes', id)
})
