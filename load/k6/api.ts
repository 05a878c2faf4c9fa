/** k6: reads over the REST API, as people and programs do them, and what is refused. */
import { ask, iteration, optionsFor, pick, plan } from './client.ts'
import { AUTHORIZATION } from './git-wire.ts'
import { RATES } from './metrics.ts'

const REPOSITORY = '/api/repos/{owner}/{name}'

export const options = optionsFor(RATES.api, {
  http_req_duration: ['p(95)<2000'],
  [`http_req_duration{name:${REPOSITORY}}`]: ['p(95)<1000'],
})

interface Read {
  readonly route: string
  readonly path: () => string
  readonly status: number
  readonly anonymous?: true
}

const repository = (): string => `/api/repos/${pick(plan.repositories, 1).path}`

const READS: readonly Read[] = [
  { route: '/api/repos', path: () => `/api/repos?per_page=${pick([1, 10, 100], 2)}`, status: 200 },
  { route: REPOSITORY, path: repository, status: 200 },
  { route: REPOSITORY, path: repository, status: 200, anonymous: true },
  { route: `${REPOSITORY}/branches`, path: () => `${repository()}/branches`, status: 200 },
  { route: `${REPOSITORY}/commits`, path: () => `${repository()}/commits?per_page=20`, status: 200 },
  { route: `${REPOSITORY}/contents`, path: () => `${repository()}/contents`, status: 200 },
  {
    route: `${REPOSITORY}/contents/{path}`,
    path: () => {
      const { path, files } = pick(plan.repositories, 1)
      return `/api/repos/${path}/contents/${pick(files, 3)}`
    },
    status: 200,
  },
  { route: '/api/users/{username}', path: () => `/api/users/${plan.username}`, status: 200 },
  { route: '/api/user', path: () => '/api/user', status: 200 },
  { route: '/api/limits', path: () => '/api/limits', status: 200 },
  { route: '/api/user', path: () => '/api/user', status: 401, anonymous: true },
  { route: REPOSITORY, path: () => `/api/repos/${plan.username}/is-not-there`, status: 404 },
  { route: '/api/repos', path: () => '/api/repos?page=0', status: 422 },
  { route: '_unmatched', path: () => '/api/is-not-there', status: 404 },
]

export default iteration(() => {
  const { route, path, status, anonymous } = pick(READS)
  const headers = anonymous === true ? {} : { Authorization: AUTHORIZATION }
  ask({ method: 'GET', path: path(), route, status, headers })
})
