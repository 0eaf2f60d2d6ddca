// Every page that the test names, as all pages must be: read at each width, light and dark, without script too.
import { expect, story } from './browser.mjs';

// The most bytes of a page on its way, and of all that the first one brings with it.
const PAGE = 20 * 1024;
const FIRST_LOAD = 100 * 1024;

await story(async (stage) => {
  const { paths, person, status = 200, first, forms } = stage.told;
  const sent = new Map();
  const page = person.invitation ? await stage.accept(person.invitation, person.password) : await stage.signIn(person);
  const state = await page.context().storageState();
  if (first) await firstLoad(stage, state);
  if (stage.told.pause) {
    stage.away = true;
    await stage.at('signed in');
  }
  const plain = await stage.someone({ script: false, state });
  const seen = [];
  for (const path of paths) {
    const answer = await page.request.get(path, { maxRedirects: 0, headers: { 'Sec-Fetch-Site': 'none' } });
    const kind = answer.headers()['content-type'] ?? '';
    if (answer.status() !== status) {
      stage.problems.push(`${path}: ${answer.status()}: ${(await answer.text()).replaceAll(/<[^>]*>|\s+/g, ' ').slice(-200)}`);
      continue;
    }
    if (!kind.startsWith('text/html')) {
      seen.push({ path, kind });
      continue;
    }
    await page.goto(path, { waitUntil: 'load' });
    const bytes = await page.evaluate(() => performance.getEntriesByType('navigation')[0].encodedBodySize);
    seen.push({ path, kind, bytes });
    if (!(bytes > 0 && bytes <= PAGE)) stage.problems.push(`${path}: ${bytes} bytes`);
    const name = path === '/' ? 'hoje' : path.slice(1).replaceAll(/[^a-z0-9]+/gi, '-').slice(0, 60);
    await stage.inspect(page, `${stage.told.prefix ?? ''}${name}`);
    await withoutScript(stage, plain, page, path);
    if (forms) await sendEmpty(stage, page, path, sent);
  }
  return { seen, sent: Object.fromEntries(sent), first: stage.firstLoad };
});

// All that a browser loads that has nothing yet.
async function firstLoad(stage, state) {
  const page = await stage.someone({ state });
  await page.goto('/', { waitUntil: 'networkidle' });
  const all = await page.evaluate(() => ['navigation', 'resource']
    .flatMap((type) => performance.getEntriesByType(type))
    .reduce((sum, entry) => sum + entry.encodedBodySize, 0));
  expect(all > 0 && all <= FIRST_LOAD, `the first load takes ${all} bytes`);
  stage.firstLoad = all;
  await page.context().close();
}

// The same page says the same to who has no script.
async function withoutScript(stage, plain, page, path) {
  const answer = await plain.goto(path);
  if (answer.status() !== (stage.told.status ?? 200)) stage.problems.push(`${path} without script: ${answer.status()}`);
  const read = async (one) => (await one.locator('main').innerText()).replaceAll(/\s+/g, ' ').trim();
  const [with_, without] = [await read(page), await read(plain)];
  // Whoever has no script is told what to do instead; nothing is missing.
  const missing = with_.split(' ').filter((word) => !without.includes(word));
  if (missing.length > 0) stage.problems.push(`${path} without script lacks: ${missing.slice(0, 10).join(' ')}`);
}

// Each kind of form on a page, sent with nothing typed: the page says what is missing, and is as all pages must be.
async function sendEmpty(stage, page, path, sent) {
  const forms = page.locator('main form[method=post]');
  const actions = await forms.evaluateAll((all) => all.map((form) => new URL(form.action).pathname));
  for (const action of new Set(actions)) {
    const kind = stage.told.forms.find((pattern) => matches(pattern, action));
    if (!kind) stage.problems.push(`${path}: no way leads to ${action}`);
    if (!kind || sent.has(kind)) continue;
    sent.set(kind, null);
    await page.goto(path);
    const form = page.locator(`main form[method=post][action^="${action}?"]`).first();
    if (!(await form.evaluate(emptied))) continue;
    const [answer] = await Promise.all([page.waitForNavigation(), form.evaluate((one) => one.requestSubmit())]);
    sent.set(kind, answer.status());
    // What need not be filled in is done.
    if (answer.status() === 422) await stage.inspect(page, `${stage.told.prefix ?? ''}recusado${kind.replaceAll(/[^a-z]+/g, '-')}`);
    else if (answer.status() !== 200) stage.problems.push(`${action} with nothing typed: ${answer.status()}`);
  }
}

function matches(pattern, path) {
  return new RegExp(`^${pattern.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path);
}

// Whether there was something to be typed.
function emptied(form) {
  const typed = [...form.elements].filter((one) => one.matches('textarea, input:not([type=hidden], [type=checkbox], [type=radio])'));
  for (const one of typed) if (one.type !== 'file') one.value = '';
  form.noValidate = true;
  return typed.length > 0;
}
