import { styleText } from 'node:util'
import type { FirstUser } from '../first-run.ts'

/** What a person needs to know who has just started a node. */
export function welcomeText({
  origin,
  metricsOrigin,
  username,
  peerAddress,
  credentialFile,
  repository,
  pushCommand,
}: FirstUser): string {
  const bold = (text: string): string => styleText('bold', text, { stream: process.stdout })
  return `
${bold('Guts is running.')}

  git and API   ${origin}
  metrics       ${metricsOrigin}/metrics
  first user    ${username}
  credentials   ${credentialFile}
  repository    ${repository}
  for mirrors   ${peerAddress}

Push any repository that has a commit, with this line pasted into its folder:

${pushCommand}

Stop with Ctrl-C; the data stays.
`
}
