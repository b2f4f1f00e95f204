// SPDX-License-Identifier: MIT
// An authorization server for tests: oidc-provider, with what a relay needs of one. The argument is a JSON of: modules (the
// folder of node_modules), http and https (ports), cert and key, routes, scopes, ttl (of access tokens, seconds), app (the
// id of a client that may have tokens of its own).
import fs from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const wanted = JSON.parse(process.argv[2])
const entry = createRequire(wanted.modules + '/').resolve('oidc-provider')
const { default: Provider } = await import(pathToFileURL(entry))

const client = { redirect_uris: ['http://127.0.0.1'], application_type: 'native', token_endpoint_auth_method: 'none' }
const provider = new Provider(wanted.issuer, {
  clients: [
    { ...client, client_id: 'people', response_types: ['code'],
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'] },
    { client_id: wanted.app, client_secret: 'app secret/+&', redirect_uris: [], response_types: [],
      grant_types: ['client_credentials'], token_endpoint_auth_method: 'client_secret_post' },
    { client_id: 'rs', client_secret: 'rs-secret', redirect_uris: [], response_types: [], grant_types: [] }
  ],
  clientDefaults: { id_token_signed_response_alg: 'RS256' },
  scopes: ['openid', 'offline_access', ...wanted.scopes],
  routes: wanted.routes,
  features: {
    deviceFlow: { enabled: true },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true },
    devInteractions: { enabled: true }
  },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: id }) }),
  issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: true,
  cookies: { keys: ['interop'] },
  pkce: { required: () => true, methods: ['S256'] },
  ttl: { AccessToken: wanted.ttl, ClientCredentials: wanted.ttl, DeviceCode: 600, Grant: 86400, Interaction: 600,
         RefreshToken: 86400, Session: 600, AuthorizationCode: 60, IdToken: 600 }
})

const counts = {}
const answer = provider.callback()
const handle = (request, response) => {
  if (request.url === '/counts') return response.end(JSON.stringify(counts))
  const path = new URL(request.url, 'http://x').pathname
  counts[path] = (counts[path] ?? 0) + 1
  return answer(request, response)
}
http.createServer(handle).listen(wanted.http, '127.0.0.1')
if (wanted.https)
  https.createServer({ cert: fs.readFileSync(wanted.cert), key: fs.readFileSync(wanted.key) }, handle)
    .listen(wanted.https, wanted.address)
