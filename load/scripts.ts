/** The load scripts, in one list: to add one, add a file below k6/, its rate in k6/metrics.ts, and an entry. */
import { join } from 'node:path'
import type { RATES } from './k6/metrics.ts'

export type LoadScriptName = keyof typeof RATES

const script = (name: string, does: string) => ({ file: join(import.meta.dirname, `k6/${name}.ts`), does })

export const LOAD_SCRIPTS: Readonly<Record<LoadScriptName, { readonly file: string; readonly does: string }>> = {
  api: script('api', 'reads over the REST API, and requests that are refused'),
  'ls-refs': script('ls-refs', 'what git ls-remote asks'),
  clone: script('clone', 'full clones over protocol 2, each pack checked'),
  push: script('push', 'pushes of packs that git made, each to a ref of its own'),
}

export const LOAD_SCRIPT_NAMES = Object.keys(LOAD_SCRIPTS) as readonly LoadScriptName[]
