import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { WritableFile } from '../../storage/file-system.ts'

/**
 * Lets a worker thread write a file that the main thread holds, so that all writing goes through the one file-system
 * port (DESIGN §6). At most a few pieces are under way: a slow disk slows the worker, not the memory.
 */

export interface TaskProgress {
  readonly phase: 'receiving' | 'resolving' | 'selecting' | 'writing'
  /** Objects, or bytes where it is writing. */
  readonly done: number
  /** 0: not known */
  readonly total: number
}

type WorkerMessage = { readonly bytes: Uint8Array; readonly position: number } | { readonly progress: TaskProgress }

type WriteAnswer = 'written' | 'failed'

const OUTSTANDING_MAX = 4
const ROOM_BYTES = 256 * 1024

/**
 * Where pieces lie while the main thread writes them. They are shared: what is handed over becomes garbage there, and V8
 * collects the whole heap of a thread for some tens of megabytes of that. Beside fetches of 7 MB that were built one after
 * another, that took as much time as all that the main thread did for them.
 */
const rooms: Buffer[] = []

/** The worker's side. */
export class RemoteFile {
  readonly #port: MessagePort
  /** In the order in which they are written. */
  readonly #outstanding: Buffer[] = []
  #failed = false
  #wake: (() => void) | undefined

  constructor(port: MessagePort) {
    this.#port = port
    port.on('message', (answer: WriteAnswer) => {
      rooms.push(this.#outstanding.shift() as Buffer)
      if (answer === 'failed') this.#failed = true
      this.#wake?.()
    })
  }

  /** Resolves when `bytes` may be used for something else. */
  async write(bytes: Buffer, position: number): Promise<void> {
    for (let at = 0; at < bytes.length; at += ROOM_BYTES) {
      await this.#until(OUTSTANDING_MAX - 1)
      const room = rooms.pop() ?? Buffer.from(new SharedArrayBuffer(ROOM_BYTES))
      this.#outstanding.push(room)
      const length = bytes.copy(room, 0, at, at + ROOM_BYTES)
      this.#send({ bytes: room.subarray(0, length), position: position + at })
    }
  }

  progress(progress: TaskProgress): void {
    this.#send({ progress })
  }

  /** Resolves when everything is written; rejects when something was not. */
  async flush(): Promise<void> {
    await this.#until(0)
  }

  /** What is not written yet stays the main thread's: nobody puts anything else there. */
  close(): void {
    this.#port.close()
  }

  #send(message: WorkerMessage): void {
    this.#port.postMessage(message)
  }

  async #until(outstandingMax: number): Promise<void> {
    while (!this.#failed && this.#outstanding.length > outstandingMax) {
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    // The main thread has the cause, and throws it instead of this.
    if (this.#failed) throw new Error('The main thread could not write')
  }
}

/**
 * Runs a task that writes `file` through a port.
 *
 * @throws the file's own error where it was writing that failed
 */
export async function withServedFile<Result>(
  file: Pick<WritableFile, 'write'>,
  onProgress: (progress: TaskProgress) => void,
  run: (port: MessagePort) => Promise<Result>,
): Promise<Result> {
  const { port1, port2 } = new MessageChannel()
  const served = serveRemoteFile(port1, file, onProgress)
  try {
    return await run(port2)
  } catch (error) {
    served.throwIfFailed()
    throw error
  } finally {
    served.close()
  }
}

interface ServedFile {
  /** @throws the first error of the file, if there was one */
  throwIfFailed(): void
  /** When the task is through. Its result may have overtaken what it said last: that is passed on first. */
  close(): void
}

/** The main thread's side: writes what the worker sends. */
function serveRemoteFile(
  port: MessagePort,
  file: Pick<WritableFile, 'write'>,
  onProgress: (progress: TaskProgress) => void,
): ServedFile {
  let failure: { readonly error: unknown } | undefined
  let tail = Promise.resolve()
  port.on('message', (message: WorkerMessage) => {
    if ('progress' in message) {
      onProgress(message.progress)
      return
    }
    const { bytes, position } = message
    tail = tail.then(async () => {
      try {
        if (failure === undefined) await file.write(bytes, position)
        onProgress({ phase: 'writing', done: position + bytes.length, total: 0 })
      } catch (error) {
        failure = { error }
      }
      port.postMessage((failure === undefined ? 'written' : 'failed') satisfies WriteAnswer)
    })
  })
  return {
    throwIfFailed() {
      if (failure !== undefined) throw failure.error
    },
    close() {
      for (let left = receiveMessageOnPort(port); left !== undefined; left = receiveMessageOnPort(port)) {
        const message = left.message as WorkerMessage
        if ('progress' in message) onProgress(message.progress)
      }
      port.close()
    },
  }
}
