/** What the requests and answers of one listener are made of. */
import { IncomingMessage, type ServerOptions, ServerResponse } from 'node:http'
import type { Express } from 'express'
import { countBodyIn, countBodyOut } from './request-state.ts'

/** For `http.createServer`. */
export type Messages = Required<Pick<ServerOptions, 'IncomingMessage' | 'ServerResponse'>>

type Written = Parameters<ServerResponse['write']>
type Ended = Parameters<ServerResponse['end']>

/**
 * Makes them with the prototypes of this app from the start, and lets them count the bytes of their bodies. Express gives
 * them its prototypes otherwise when they come to it: V8 has to look up everything in an object that was changed like that
 * (a listing of refs took 3 % longer).
 */
export function messagesOf(app: Express): Messages {
  const { push } = IncomingMessage.prototype
  const { write, end } = ServerResponse.prototype
  Object.assign(app.request, {
    push(this: IncomingMessage, chunk: Uint8Array | null, encoding?: BufferEncoding): boolean {
      countBodyIn(this, chunk)
      return push.call(this, chunk, encoding)
    },
  })
  Object.assign(app.response, {
    write(this: ServerResponse, ...[chunk, encoding, callback]: Written): boolean {
      countBodyOut(this, chunk, encoding)
      return write.call(this, chunk, encoding, callback)
    },
    end(this: ServerResponse, ...[chunk, encoding, callback]: Ended): ServerResponse {
      if (!this.writableEnded) countBodyOut(this, chunk, encoding)
      return end.call(this, chunk, encoding, callback)
    },
  })
  return {
    IncomingMessage: madeWith(app.request, IncomingMessage),
    ServerResponse: madeWith(app.response, ServerResponse),
  } as Messages
}

/** A class whose objects have this prototype. */
function madeWith(prototype: object, base: typeof IncomingMessage | typeof ServerResponse): unknown {
  function made(...args: readonly unknown[]): object {
    return Reflect.construct(base, args, made) as object
  }
  made.prototype = prototype
  return made
}
