/**
 * How a route is declared: once, with schemas for everything that goes in and out. From the declarations come
 * registration, validation, types and the OpenAPI document. `routesFor<Services>()` gives the two functions for the
 * services that `src/node.ts` hands to each handler.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import * as z from 'zod'
import type { Caller } from './caller.ts'

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

/**
 * Who may call: `open` asks neither credentials nor limits (health, metrics); `public` and `read` take anyone, the
 * handler decides what they may see (hidden and missing look the same); `write` and `user` need a caller; `admin` needs
 * an administrator.
 */
export type Access = 'open' | 'public' | 'read' | 'write' | 'user' | 'admin'
type KnownCaller = 'write' | 'user' | 'admin'

const EMPTY = z.strictObject({})
type Empty = typeof EMPTY
type Schemas = Readonly<Record<number, z.ZodType>>

interface Input<A extends Access, Params extends z.ZodObject, Query extends z.ZodObject> {
  readonly params: z.output<Params>
  readonly query: z.output<Query>
  readonly caller: A extends KnownCaller ? Caller : Caller | undefined
  /** Aborts when the client leaves, and for an ordinary route at the request's deadline. */
  readonly signal: AbortSignal
}

export interface RouteInput<
  A extends Access,
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Body,
> extends Input<A, Params, Query> {
  readonly body: Body
  /** The address as the client sees it. */
  readonly url: URL
  header(name: string): string | undefined
}

export interface StreamInput<A extends Access, Params extends z.ZodObject, Query extends z.ZodObject> extends Input<
  A,
  Params,
  Query
> {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /**
   * To be called before the body is read, and after all that could refuse the caller: lets a client that waits send it.
   *
   * @throws RequestError payload_too_large: by the length it declares
   */
  admitBody(): void
}

export interface Answer<Status extends number = number, Body = unknown> {
  readonly status: Status
  readonly body: Body
  readonly headers: Readonly<Record<string, string | undefined>>
}

type AnswerOf<Answers extends Schemas> = {
  [Status in keyof Answers & number]: Answer<Status, z.input<Answers[Status]>>
}[keyof Answers & number]

/** `headers` that are `undefined` are left out. A body of text goes out as it is. */
export function answer<const Status extends number, Body>(
  status: Status,
  body: Body,
  headers: Readonly<Record<string, string | undefined>> = {},
): Answer<Status, Body> {
  return { status, body, headers }
}

/** For the answers of a 204. */
export const noBody = z.undefined()

interface Declaration<A extends Access, Params extends z.ZodObject, Query extends z.ZodObject> {
  readonly method: Method
  /** With names in braces; the last one may be `{name*}` and takes the rest of the path, slashes included. */
  readonly path: string
  readonly summary: string
  readonly access: A
  readonly params?: Params
  readonly query?: Query
}

interface AnswerDeclaration<
  Services,
  A extends Access,
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodType,
  Answers extends Schemas,
> extends Declaration<A, Params, Query> {
  readonly body?: Body
  readonly answers: Answers
  /** Of answers that are text; the others are JSON. */
  readonly mediaType?: string
  handle(
    input: RouteInput<A, Params, Query, z.output<Body>>,
    services: Services,
  ): Promise<AnswerOf<Answers>> | AnswerOf<Answers>
}

interface StreamDeclaration<
  Services,
  A extends Access,
  Params extends z.ZodObject,
  Query extends z.ZodObject,
> extends Declaration<A, Params, Query> {
  /** Takes the raw request and ends the raw response. An error thrown before the headers becomes one plain sentence. */
  handle(input: StreamInput<A, Params, Query>, services: Services): Promise<void>
}

interface AnyRoute {
  readonly method: Method
  readonly path: string
  readonly summary: string
  readonly access: Access
  readonly params: z.ZodObject
  readonly query: z.ZodObject
}

export interface AnswerRoute<Services> extends AnyRoute {
  readonly kind: 'answer'
  readonly body: z.ZodType | undefined
  readonly answers: Schemas
  readonly mediaType: string
  readonly handle: (
    input: RouteInput<Access, z.ZodObject, z.ZodObject, unknown>,
    services: Services,
  ) => Promise<Answer> | Answer
}

export interface StreamRoute<Services> extends AnyRoute {
  readonly kind: 'stream'
  readonly handle: (input: StreamInput<Access, z.ZodObject, z.ZodObject>, services: Services) => Promise<void>
}

export type Route<Services> = AnswerRoute<Services> | StreamRoute<Services>

export interface RouteDefiner<Services> {
  defineRoute<
    A extends Access,
    Answers extends Schemas,
    Params extends z.ZodObject = Empty,
    Query extends z.ZodObject = Empty,
    Body extends z.ZodType = z.ZodUndefined,
  >(
    declaration: AnswerDeclaration<Services, A, Params, Query, Body, Answers>,
  ): AnswerRoute<Services>
  defineStreamRoute<A extends Access, Params extends z.ZodObject = Empty, Query extends z.ZodObject = Empty>(
    declaration: StreamDeclaration<Services, A, Params, Query>,
  ): StreamRoute<Services>
}

export function routesFor<Services>(): RouteDefiner<Services> {
  return {
    defineRoute: (declaration) => {
      const { method, path, summary, access, params = EMPTY, query = EMPTY, body, answers } = declaration
      const { mediaType = 'application/json' } = declaration
      // The dispatcher parses with these very schemas before it calls, so the handler's input has their types.
      const handle = declaration.handle.bind(declaration) as unknown as AnswerRoute<Services>['handle']
      return { kind: 'answer', method, path, summary, access, params, query, body, answers, mediaType, handle }
    },
    defineStreamRoute: (declaration) => {
      const { method, path, summary, access, params = EMPTY, query = EMPTY } = declaration
      const handle = declaration.handle.bind(declaration)
      return { kind: 'stream', method, path, summary, access, params, query, handle }
    },
  }
}
