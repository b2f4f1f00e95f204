// SPDX-License-Identifier: MIT
// oauth2-mock-server, whose token endpoint gives the answers of a list, one after the other, and then its own. The argument
// is a JSON of: modules (the folder of node_modules), port, answers ({status, body}; a body of null: its own, changed).
import { createRequire } from 'node:module'

const wanted = JSON.parse(process.argv[2])
const { OAuth2Server } = createRequire(wanted.modules + '/')('oauth2-mock-server')
const server = new OAuth2Server()
await server.issuer.keys.generate('RS256')
server.service.on('beforeResponse', (answer) => {
  const next = wanted.answers.shift()
  if (!next) return
  answer.statusCode = next.status
  if (next.body !== null) answer.body = next.body
  else delete answer.body.expires_in
})
await server.start(wanted.port, '127.0.0.1')
