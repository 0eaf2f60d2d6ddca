// What `pix-utils` reads in BR Codes: a JSON array of codes on standard input, one of what they say as output.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

// From the folder that it is run in, where scripts/test installs it.
const { hasError, parsePix } = createRequire(join(process.cwd(), 'package.json'))('pix-utils');
const read = JSON.parse(readFileSync(0, 'utf8')).map((code) => {
  const pix = parsePix(code);
  if (hasError(pix)) return { refused: pix.message };
  const { pixKey, merchantName, merchantCity, transactionAmount, txid } = pix;
  return { pixKey, merchantName, merchantCity, transactionAmount, txid };
});
process.stdout.write(JSON.stringify(read));
