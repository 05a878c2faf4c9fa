/** A node whose standard output is a disk without a byte left: `script` of NodeProcess. */
import { closeSync, openSync } from 'node:fs'

closeSync(1)
// The lowest free descriptor is taken: standard output again.
openSync('/dev/full', 'w')
await import('../../src/main.ts')
