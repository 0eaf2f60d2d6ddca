// The text that a reader copies out of pdf.js, file by file: `node pdfjs.mjs FILE…` prints a JSON array.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

// From the folder that it is run in, where scripts/test installs it.
const here = createRequire(join(process.cwd(), 'package.json'));
const { getDocument, VerbosityLevel } = await import(here.resolve('pdfjs-dist/legacy/build/pdf.mjs'));

const texts = [];
for (const file of process.argv.slice(2)) {
  const data = new Uint8Array(await readFile(file));
  const pdf = await getDocument({ data, verbosity: VerbosityLevel.ERRORS, useSystemFonts: false }).promise;
  let text = '';
  for (let number = 1; number <= pdf.numPages; number += 1) {
    const { items } = await (await pdf.getPage(number)).getTextContent();
    // As its text layer does: an item a span, and a line's end where it found one.
    text += items.map(({ str, hasEOL }) => str + (hasEOL ? '\n' : '')).join('') + '\n';
  }
  texts.push(text);
  await pdf.destroy();
}
process.stdout.write(JSON.stringify(texts));
