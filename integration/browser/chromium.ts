/** The machine's Chromium, as Playwright drives it. */
import { type Browser, chromium } from 'playwright'
import { toolThere } from '../../harness/tools.ts'

/** It runs as whoever runs the tests, root too, and speaks to nobody but the page's own node. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export async function launchChromium(): Promise<Browser> {
  const executablePath = toolThere('chromium')
  if (executablePath === undefined) throw new Error('Chromium is not there: these tests are run by npm run integration')
  return chromium.launch({ executablePath, headless: true, args: ARGUMENTS })
}
