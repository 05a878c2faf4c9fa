/** The time between a signal and the end of a node that has to be ended by force, as `src/process.ts` sets it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './command-line.ts'

export function endMsMax({ drainTimeoutS }: { readonly drainTimeoutS: number }): number {
  const source = readFileSync(join(ROOT, 'src/process.ts'), 'utf8')
  const digits = /^const CLOSE_MS_MAX = ([0-9_]+)$/m.exec(source)?.[1]?.replaceAll('_', '')
  if (digits === undefined) throw new Error('src/process.ts does not say how long a node may close')
  return drainTimeoutS * 1_000 + Number(digits)
}
