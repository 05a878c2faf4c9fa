/**
 * `GET /docs`: the API in a browser, to read and to try. Everything it needs comes from here; it works without a
 * network, and hands nothing to anyone else.
 */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'
import { answer } from '../route.ts'
import { defineRoute } from '../services.ts'

/** The page runs its own scripts and asks its own origin, nothing else. Pictures in its style sheet are `data:`. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Addresses are relative: a proxy may serve the node below a path. */
const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Guts API</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="docs/swagger-ui.css">
    <script src="docs/swagger-ui-bundle.js" defer></script>
    <script src="docs/page.js" defer></script>
  </head>
  <body>
    <div id="api"></div>
    <noscript>This page needs JavaScript. The description itself is at <a href="openapi.json">openapi.json</a>.</noscript>
  </body>
</html>
`

/** A validator would be sent the description; tokens are forgotten with the page. */
const SCRIPT = `SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#api',
  validatorUrl: null,
  persistAuthorization: false,
  deepLinking: true,
  docExpansion: 'list',
})
`

const CACHED = { 'Cache-Control': 'max-age=3600' }

const page = defineRoute({
  method: 'get',
  path: '/docs',
  summary: 'The API in a browser, to read and to try',
  access: 'public',
  answers: { 200: z.string() },
  mediaType: 'text/html',
  handle: () => answer(200, PAGE, { 'Content-Security-Policy': POLICY }),
})

const script = defineRoute({
  method: 'get',
  path: '/docs/page.js',
  summary: 'Starts that page',
  access: 'public',
  answers: { 200: z.string() },
  mediaType: 'text/javascript',
  handle: () => answer(200, SCRIPT, CACHED),
})

export const docsRoutes = [
  page,
  script,
  packaged('swagger-ui.css', 'text/css'),
  packaged('swagger-ui-bundle.js', 'text/javascript'),
]

/** A file of the package, read when it is first asked for. */
function packaged(file: string, mediaType: string) {
  const path = fileURLToPath(import.meta.resolve(`swagger-ui-dist/${file}`))
  let text: Promise<string> | undefined
  return defineRoute({
    method: 'get',
    path: `/docs/${file}`,
    summary: `${file} of that page`,
    access: 'public',
    answers: { 200: z.string() },
    mediaType,
    async handle() {
      text ??= readFile(path, 'utf8').catch((error: unknown) => {
        // Too few descriptors now say nothing about the next request.
        text = undefined
        throw error
      })
      return answer(200, await text, CACHED)
    },
  })
}
