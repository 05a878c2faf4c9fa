/** The page of the API, as a person uses it. */
import type { Page } from 'playwright'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { NodeProcess } from '../support/node-process.ts'
import { launchChromium } from './chromium.ts'

const stack = new AsyncDisposableStack()
let node: NodeProcess
let token: string
let page: Page
/** What the browser asked for, and what it complained of. */
const asked: string[] = []
const complaints: string[] = []

beforeAll(async () => {
  node = stack.use(await NodeProcess.start())
  ;({ token } = await node.createUser('alice'))
  const browser = await launchChromium()
  stack.defer(() => browser.close())
  page = await browser.newPage()
  page.on('request', (request) => asked.push(request.url()))
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
})
afterAll(() => stack.disposeAsync())

beforeEach(async () => {
  asked.length = 0
  complaints.length = 0
  await open()
})

async function open(): Promise<void> {
  // By way of an empty page: the address's fragment, which says what is open, would otherwise be kept.
  await page.goto('about:blank')
  await page.goto(`${node.origin}/docs`)
  await page.locator('.opblock').first().waitFor()
}

/** Opens an operation, and makes its request. @returns status and body as the page shows them */
async function tryOut(method: string, path: string): Promise<{ status: string; body: string }> {
  const operation = page.locator(`.opblock-${method}`, { has: page.locator(`[data-path="${path}"]`) })
  await operation.locator('.opblock-summary-control').click()
  await operation.getByRole('button', { name: 'Try it out' }).click()
  await operation.getByRole('button', { name: 'Execute' }).click()
  const answered = operation.locator('.live-responses-table .response')
  return {
    status: (await answered.locator('.response-col_status').innerText()).trim(),
    body: await answered.locator('.response-col_description .microlight').first().innerText(),
  }
}

describe('the page of the API', () => {
  it('shows every operation of the description', async () => {
    const { paths } = (await (await fetch(`${node.origin}/openapi.json`)).json()) as { paths: Record<string, object> }
    const operations = Object.values(paths).flatMap((methods) => Object.keys(methods)).length
    expect(operations).toBeGreaterThan(20)
    expect(await page.locator('.opblock').count()).toBe(operations)
    expect(await page.title()).toBe('Guts API')
  })

  it('makes a request, and shows the answer', async () => {
    const { status, body } = await tryOut('get', '/api/limits')
    expect(status).toBe('200')
    const shown = JSON.parse(body) as { name: string; value: number }[]
    expect(shown.find(({ name }) => name === 'max_request_size_mb')?.value).toBe(100)
  })

  it('makes it as the user whose token it is given, and forgets that with the page', async () => {
    expect((await tryOut('get', '/api/user')).status).toBe('401')
    await page.getByRole('button', { name: 'Authorize' }).first().click()
    const dialogue = page.locator('.auth-container', { hasText: 'bearer' })
    await dialogue.locator('input').fill(token)
    await dialogue.getByRole('button', { name: 'Apply credentials' }).click()
    await page.getByRole('button', { name: 'Close' }).first().click()
    await page
      .locator('.opblock-get', { has: page.locator('[data-path="/api/user"]') })
      .getByRole('button', { name: 'Execute' })
      .click()
    await page.getByText('"username": "alice"').first().waitFor()
    await open()
    expect((await tryOut('get', '/api/user')).status).toBe('401')
  })

  it('asks nobody else, and breaks no policy of its own', async () => {
    await tryOut('get', '/api/limits')
    expect(asked.length).toBeGreaterThan(4)
    expect(asked.filter((url) => !url.startsWith(`${node.origin}/`) && !url.startsWith('data:'))).toEqual([])
    expect(complaints).toEqual([])
  })
})
