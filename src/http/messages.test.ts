import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { expect, it } from 'vitest'
import { messagesOf } from './messages.ts'

it('makes requests and answers which Express has nothing to change in', async () => {
  const app = express()
  app.get('/', (request, response) => void response.end(String(request.app === app)))
  const came: object[] = []
  const server = createServer(messagesOf(app), (request: IncomingMessage, response: ServerResponse) => {
    came.push(Object.getPrototypeOf(request) as object, Object.getPrototypeOf(response) as object)
    app(request, response)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const answer = await fetch(`http://127.0.0.1:${port}/`)
  expect(await answer.text()).toBe('true')
  server.close()
  expect(came).toEqual([app.request, app.response])
  expect(came[0]).toBe(app.request)
  expect(came[1]).toBe(app.response)
})
