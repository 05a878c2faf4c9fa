/** The anchor of replication: a libp2p host of the same parts, which only sends bytes. Prints its address. */
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'

export const RAW_PROTOCOL = '/guts-bench/raw'
const PIECE = Buffer.alloc(256 * 1024, 7)

if (import.meta.main) {
  const libp2p = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
  })
  const bytes = Number(process.argv[2])
  await libp2p.handle(RAW_PROTOCOL, async (stream) => {
    for (let left = bytes; left > 0; left -= PIECE.length) {
      if (!stream.send(PIECE.subarray(0, Math.min(PIECE.length, left)))) await stream.onDrain()
    }
    await stream.close()
  })
  console.log(String(libp2p.getMultiaddrs()[0]))
}
