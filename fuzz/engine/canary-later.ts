import { fuzz as find } from './canary.ts'

/** The canary for targets that answer with a promise, which run in another way. */
export async function fuzz(data: Buffer): Promise<void> {
  await Promise.resolve()
  find(data)
}
