// SPDX-License-Identifier: MIT
// npm's `sendmail` with devHost and devPort, as its users try it out. The message it made goes to the file OUT; exit code
// 0 if it reported success once, and no error before the connection was closed.
//   node npm_sendmail.js MODULES HOST PORT OUT
'use strict';
const fs = require('fs');
const [modules, devHost, devPort, out] = process.argv.slice(2);
const results = [];
const logger = {
  debug: () => {}, warn: console.error, error: console.error,
  info: (what, body) => { if (what === 'sending mail') fs.writeFileSync(out, body); },
};
const sendmail = require(modules + '/sendmail')({devHost, devPort: Number(devPort), logger});
sendmail({
  from: 'me@example.com', to: 'you@dest.example', cc: 'her@dest.example', subject: 'npm sendmail \u00e4\u65e5',
  html: '<p>\u65e5\u672c</p>', text: 'hello\n\u65e5\u672c\n',
}, (error) => results.push(error));
process.on('exit', () => {
  if (results.length !== 1 || results[0]) console.error('results:', results);
  process.exitCode = results.length === 1 && !results[0] ? 0 : 1;
});
