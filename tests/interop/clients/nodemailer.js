// SPDX-License-Identifier: MIT
// nodemailer sends the message in the file MESSAGE as it is.
//   node nodemailer.js MODULES HOST PORT MESSAGE [OPTIONS]     the transport's own, in JSON
'use strict';
const [modules, host, port, message, options] = process.argv.slice(2);
const transport = require(modules + '/nodemailer').createTransport({host, port: Number(port),
  ...JSON.parse(options || '{}')});
transport.sendMail({
  envelope: {from: 'me@example.com', to: ['you@dest.example', 'her@dest.example']}, raw: {path: message},
}).then((info) => {
  if (info.accepted.length !== 2) throw new Error('accepted: ' + info.accepted);
}).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
