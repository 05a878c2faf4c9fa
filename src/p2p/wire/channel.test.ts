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

it('bytes that come one by one are all there, and in their order', async () => {
  const [ours, theirs] = await streamPair()
  const sent = Buffer.from(Array.from({ length: 4_000 }, (_, at) => at % 251))
  const pieces = new Channel(ours, 1_024, new AbortController().signal).rawBytes(sent.length)
  for (let at = 0; at < sent.length; at++) theirs.send(sent.subarray(at, at + 1))
  const got: Uint8Array[] = []
  for await (const piece of pieces) got.push(piece)
  expect(Buffer.concat(got).equals(sent)).toBe(true)
})

it('a peer that sends more than it said is refused', async () => {
  const [ours, theirs] = await streamPair()
  const pieces = new Channel(ours, 1_024, new AbortController().signal).rawBytes(10)
  theirs.send(new Uint8Array(11))
  await expect(pieces.next()).rejects.toMatchObject({ detail: { code: 'too_long' } })
})
