/** Effects of the configuration on the pipeline that no other test shows. */
import { describe, expect, it } from 'vitest'
import { serve } from './testing.ts'
import { post, routes } from './testing-routes.ts'

describe('the limit of a JSON body', () => {
  const padded = (bytes: number): string => {
    const body = JSON.stringify({ name: 'site' })
    return body + ' '.repeat(bytes - body.length)
  }

  it.each([
    { name: 'takes its last byte', bytes: 1024, status: 201 },
    { name: 'refuses one more', bytes: 1025, status: 413 },
  ])('$name', async ({ bytes, status }) => {
    await using server = await serve(routes, { app: { jsonBytesMax: 1024 } })
    const response = await fetch(`${server.origin}/api/repos`, post(padded(bytes)))
    expect(response.status).toBe(status)
    if (status === 413)
      expect(await response.json()).toMatchObject({ message: 'The body is over the limit of 1024 bytes' })
  })
})

describe('addresses in answers', () => {
  it('are those of the public URL', async () => {
    await using server = await serve(routes, { app: { publicUrl: 'https://git.example.org/guts' } })
    const response = await fetch(`${server.origin}/api/repos?page=2`)
    expect(response.headers.get('link')).toContain('<https://git.example.org/guts/api/repos?page=3')
  })

  it('are those the client used, without one', async () => {
    await using server = await serve(routes)
    const response = await fetch(`${server.origin}/api/repos?page=2`)
    expect(response.headers.get('link')).toContain(`<${server.origin}/api/repos?page=3`)
  })
})
