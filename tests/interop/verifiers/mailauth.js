// SPDX-License-Identifier: MIT
// What mailauth, from npm, says of signatures: mailauth.js MODULES RECORDS MESSAGE…; RECORDS is a JSON object of DNS
// names and texts. Prints a JSON list for each message: [domain, selector, verdict] of each signature.
'use strict';
const fs = require('fs');
const [modules, recordsFile, ...messages] = process.argv.slice(2);
const { dkimVerify } = require(`${modules}/mailauth/lib/dkim/verify`);
const records = JSON.parse(fs.readFileSync(recordsFile, 'utf8'));

async function resolver(name) {
  if (name in records) return [[records[name]]];
  throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
}

(async () => {
  for (const message of messages) {
    const { results } = await dkimVerify(fs.readFileSync(message), { resolver });
    console.log(JSON.stringify(results.map((each) => [each.signingDomain, each.selector, each.status.result])));
  }
})();
