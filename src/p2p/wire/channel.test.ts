import { streamPair } from '@libp2p/utils'
import { expect, it } from 'vitest'
import { Channel } from './channel.ts'

it('an exchange that is over gives no more bytes, also of those that had come', async () => {
  const [ours, theirs] = await streamPair()
  const ending = new AbortController()
  const pieces = new Channel(ours, 1_024, ending.signal).rawBytes(3_000)
  const allCame = new Promise((resolve) => ours.addEventListener('remoteCloseWrite', resolve))
  const first = pieces.next()
  for (let sent = 0; sent < 3; sent++) theirs.send(new Uint8Array(1_000))
  await theirs.close()
  await allCame
  expect(await first).toMatchObject({ done: false })
  const over = new Error('The attempt took too long')
  ending.abort(over)
  await expect(pieces.next()).rejects.toBe(over)
})
