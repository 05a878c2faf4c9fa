import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RestServer, serveRest } from './testing-rest.ts'

let rest: RestServer
beforeAll(async () => (rest = await serveRest()))
afterAll(() => rest[Symbol.asyncDispose]())

const get = (path: string): Promise<Response> => fetch(rest.server.origin + path)

describe('the page of the API', () => {
  it('runs nothing but what it names, from its own origin', async () => {
    const response = await get('/docs')
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const policy = response.headers.get('content-security-policy')?.split('; ') ?? []
    expect(policy).toEqual(expect.arrayContaining(["default-src 'none'", "script-src 'self'", "connect-src 'self'"]))
    expect(policy.filter((directive) => /unsafe-|\*|https?:/.test(directive))).toEqual([])
    const html = await response.text()
    expect(html).not.toMatch(/<script(?![^>]* src=)[^>]*>|\son\w+=|<style|https?:\/\//)
    const named = [...html.matchAll(/(?:src|href)="([^":]+)"/g)].map(([, path]) => `/${path}`)
    expect(named.length).toBeGreaterThan(3)
    for (const path of named) expect((await get(path)).status, path).toBe(200)
  })

  it.each([
    { file: 'swagger-ui.css', type: 'text/css; charset=utf-8' },
    { file: 'swagger-ui-bundle.js', type: 'text/javascript; charset=utf-8' },
  ])('serves $file as the package has it', async ({ file, type }) => {
    const response = await get(`/docs/${file}`)
    expect(response.headers.get('content-type')).toBe(type)
    // A browser that may not guess takes no script of another type.
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    const packaged = readFileSync(fileURLToPath(import.meta.resolve(`swagger-ui-dist/${file}`)))
    expect(Buffer.from(await response.arrayBuffer()).equals(packaged)).toBe(true)
  })

  it('tells no validator and keeps no token', async () => {
    const script = await (await get('/docs/page.js')).text()
    expect(script).toContain('validatorUrl: null')
    expect(script).toContain('persistAuthorization: false')
  })

  it('serves nothing else of the package', async () => {
    for (const path of ['/docs/package.json', '/docs/swagger-ui.js', '/docs/..%2fpackage.json', '/docs/']) {
      expect((await get(path)).status, path).toBe(404)
    }
  })

  it('is described as what it is', async () => {
    const document = (await (await get('/openapi.json')).json()) as {
      paths: Record<string, { get: { tags: string[]; responses: Record<string, { content: object }> } }>
    }
    expect(Object.keys(document.paths['/docs']?.get.responses['200']?.content ?? {})).toEqual(['text/html'])
    const limits = document.paths['/api/limits']?.get.responses['200']?.content ?? {}
    expect(Object.keys(limits)).toEqual(['application/json'])
    const tags = ['/docs/page.js', '/api/repos/{owner}/{name}/branches', '/api/user'].map(
      (path) => document.paths[path]?.get.tags,
    )
    expect(tags).toEqual([['docs'], ['repos'], ['user']])
  })
})
