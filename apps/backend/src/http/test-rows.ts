import { type Route, type RouteName, routes } from '@berth/contract'
import { someId } from '../test-backend.ts'

/** A valid body for each row that takes one. */
const bodies: { [N in RouteName]?: object } = {
  createProject: { name: 'fresh' },
  logoutByIssuer: { logout_token: 'not one' },
  updateProject: { displayName: 'Renamed' },
  updateProjectSettings: { turnMinutes: 5 },
  setMember: { role: 'viewer' },
  createKey: { name: 'ci' },
  rotateKey: {},
  revokeAccess: { subject: { kind: 'user', id: 'somebody-else' } },
  putSecret: { kind: 'http-header', value: 'a value that is no word 1' },
  createSession: {},
  updateSessionSettings: { turnMinutes: 5 },
  updateSession: { title: 'Renamed' },
  updateSharing: { visibility: 'private' },
  createUpload: { path: 'a.txt', size: 1 },
  createPrompt: { content: 'Hello' },
  decidePermission: { behavior: 'allow' },
  answerQuestion: { answers: {} },
  addRepository: { url: 'https://example.com/app.git' },
  pushSession: {},
  forkSession: {},
  restoreWorkspace: { turn: someId('turn') },
}

const queries: { [N in RouteName]?: string } = {
  deleteProject: '?confirm=another-name',
  login: '?ticket=unknown',
  listBranches: '?url=/nowhere/app',
  getChangedFile: '?repository=app&path=a.txt',
  readFile: '?path=a.txt',
  writeFile: '?path=a.txt',
  deleteFile: '?path=a.txt',
}

/** A valid request for each row, of a session and the like that don't exist unless they are given. */
export const requestOf = (name: RouteName, given: Record<string, string> = {}) => {
  const row: Route = routes[name]
  const params: Record<string, string> = {
    project: 'default',
    session: someId('session'),
    prompt: someId('prompt'),
    request: someId('request'),
    upload: someId('upload'),
    blob: 'a'.repeat(64),
    name: 'app',
    kind: 'user',
    id: 'somebody',
    key: someId('key'),
    ...given,
  }
  const path = row.path.replace(/:([a-z]+)/g, (_, param: string) => params[param] ?? '')
  const headers: Record<string, string> = row.ifMatch === true ? { 'if-match': '"1"' } : {}
  return { path: `${path}${queries[name] ?? ''}`, method: row.method, body: bodies[name], headers }
}

export const routeNames = Object.keys(routes) as RouteName[]
