// Holds every email that the tests wrote (target/tmp/emails) against what caniemail.com knows of the clients that
// our readers have. What one of them lacks is an error, unless the email is read as well without it: then it
// stands here, with why. What stands here and is no longer needed is an error too.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [modules, folder] = process.argv.slice(2);
const require = createRequire(path.resolve(modules, 'index.js'));
const { caniemail } = await import(pathToFileURL(require.resolve('caniemail')));

const CLIENTS = ['gmail.*', 'outlook.*', 'apple-mail.*', 'yahoo.*', 'samsung-email.*'];

const FINE_WITHOUT = {
  '<bdi> element': 'names are cleaned of direction marks before they are set',
  '<body> element': 'its colour stands on the outermost table too',
  '<style> element': 'only dark colours and narrower margins stand there',
  '@media': 'the same',
  'border-radius': 'corners are square',
  'color-scheme CSS property': 'the client darkens by itself, or stays light',
  'color-scheme meta tag': 'the same',
  'display:none': 'the words of the preview stand on top of the page',
  'height property': 'the attribute says the same',
  'max-height property': 'the preview is hidden by mso-hide there',
  'overflow': 'the same',
  'overflow-wrap': 'word-break says the same',
  'role attribute': 'a layout table is read out as a table',
  'white-space': 'money and numbers have no-break spaces',
  'word-break': 'overflow-wrap says the same, and only codes and hostile names are as long as a line',
};

const pages = fs.readdirSync(folder).filter((name) => name.endsWith('.html'));
if (pages.length === 0) throw new Error(`no email in ${folder}: cargo test --test it email::`);
const met = new Map();
const wrong = [];
for (const page of pages) {
  const html = fs.readFileSync(path.join(folder, page), 'utf8');
  const { issues } = caniemail({ clients: CLIENTS, html });
  for (const [client, found] of issues.errors) {
    for (const { title, position } of found) {
      met.set(title, true);
      if (!(title in FINE_WITHOUT)) {
        wrong.push(`${page}:${position?.start?.line ?? '?'}: ${title} is not known to ${client}`);
      }
    }
  }
}
for (const title of Object.keys(FINE_WITHOUT)) {
  if (!met.has(title)) wrong.push(`'${title}' is excused in scripts/lint-emails.mjs and no longer needed`);
}
if (wrong.length > 0) {
  console.error([...new Set(wrong)].join('\n'));
  process.exit(1);
}
console.log(`${pages.length} emails, ${Object.keys(FINE_WITHOUT).length} features that some client lacks and that each email is read without`);
