// What the stories share: a real Chromium, people who use it, and a line to the test that started it.
//
// A story is a module that calls `story`. It gets what the test told it as JSON on its first line of input, and
// says how far it is as JSON lines; at a step it waits until the test has done its part. The last line is what
// came of it, with everything that went wrong in a page.
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium, here, options } from './chromium.mjs';

const AXE_SOURCE = readFileSync(here.resolve('axe-core/axe.min.js'), 'utf8');

export const WIDTHS = [360, 768, 1280];
export const SCHEMES = ['light', 'dark'];
// A loaded machine is slow; a page that hangs is still found.
const PATIENCE = Number(process.env.PATIENCE ?? 60_000);
const WHOLE_STORY = 480_000;

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

const say = (line) => new Promise((said) => process.stdout.write(`${JSON.stringify(line)}\n`, said));

const hear = async () => {
  const { value, done } = await lines.next();
  if (done) throw new Error('the test is gone');
  return JSON.parse(value);
};

// What one story works with.
class Stage {
  constructor(told, browser) {
    this.told = told;
    this.browser = browser;
    this.problems = [];
    this.pages = [];
    // Whether the daemon may be away just now, so that what cannot be reached is no fault.
    this.away = false;
  }

  // Says how far the story is; what the test answers when it has done its part.
  async at(step, shown = {}) {
    await say({ at: step, shown });
    return hear();
  }

  // A browser of somebody's own, with one page.
  async someone({ width = 1280, scheme = 'light', script = true, state, secure = true } = {}) {
    const context = await this.browser.newContext({
      baseURL: this.told.base,
      viewport: { width, height: 900 },
      colorScheme: scheme,
      javaScriptEnabled: script,
      locale: 'pt-BR',
      timezoneId: 'America/Sao_Paulo',
      reducedMotion: 'reduce',
      storageState: state,
      ignoreHTTPSErrors: !secure,
    });
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    page.hasScript = script;
    this.watch(page);
    return page;
  }

  // Whatever a page complains of fails the story: its script, the Content-Security-Policy, what it cannot load.
  watch(page) {
    this.pages.push(page);
    page.on('pageerror', (error) => this.problems.push(`${page.url()}: ${error.stack}`));
    page.on('console', (message) => {
      if (!['error', 'warning'].includes(message.type())) return;
      const { url } = message.location();
      // A page that says no with its status is looked at by the story itself.
      const isAnswer = /status of (400|401|403|404|405|409|413|422|429|503)/.test(message.text());
      // What was typed wrong stands in its field again, for browsers that show it.
      if (/does not conform to the required format/.test(message.text())) return;
      if (isAnswer || (this.away && message.text().includes('net::ERR_'))) return;
      this.problems.push(`${page.url()}: ${message.type()}: ${message.text()} (${url})`);
    });
    page.on('response', (response) => {
      if (response.status() >= 500 && !this.away) {
        this.problems.push(`${response.status()} ${response.request().method()} ${response.url()}`);
      }
    });
  }

  // Opens an invitation and chooses a password; the person is signed in then.
  async accept(link, password, options) {
    const page = await this.someone(options);
    await page.goto(new URL(link).pathname);
    for (const field of await page.locator('input[type=password]').all()) await field.fill(password);
    await page.locator('main form button').first().click();
    await page.waitForURL((url) => !url.pathname.startsWith('/invitation'));
    if (new URL(page.url()).pathname === '/login') return this.fill(page, this.told.email, password);
    return page;
  }

  // A person in a browser of their own.
  async signIn({ email, password }, options) {
    const page = await this.someone(options);
    await page.goto('/login');
    return this.fill(page, email, password);
  }

  // The form that a page asks to log in with.
  async fill(page, email, password) {
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Senha').fill(password);
    await page.getByRole('button', { name: 'Entrar' }).click();
    await page.waitForURL((url) => url.pathname !== '/login');
    return page;
  }

  // Holds a page against what every page must hold: readable by all at each width, light and dark.
  async inspect(page, name) {
    const before = page.viewportSize();
    const wrong = [];
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      for (const scheme of SCHEMES) {
        await page.emulateMedia({ colorScheme: scheme });
        const where = `${name} (${new URL(page.url()).pathname}) at ${width} px, ${scheme}`;
        const over = await page.evaluate(overflow);
        if (over) wrong.push(`${where}: ${over}`);
        // axe itself is a script.
        const found = page.hasScript ? await axe(page, scheme) : [];
        wrong.push(...found.map((violation) => `${where}: ${violation}`));
      }
    }
    await page.setViewportSize(before);
    await page.emulateMedia({ colorScheme: 'light' });
    this.problems.push(...wrong);
    if (page.hasScript) await this.picture(page, name);
  }

  // Pictures of a page at every width, light and dark, where people want to look at them.
  async picture(page, name) {
    const { pictures } = this.told;
    if (!pictures) return;
    await mkdir(pictures, { recursive: true });
    const before = page.viewportSize();
    for (const width of WIDTHS) {
      for (const scheme of SCHEMES) {
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme: scheme });
        await page.screenshot({ path: join(pictures, `${name}-${width}-${scheme}.png`), fullPage: true });
      }
    }
    await page.setViewportSize(before);
    await page.emulateMedia({ colorScheme: 'light' });
  }
}

// What stands out to the right of the page, if anything does.
function overflow() {
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth <= clientWidth) return '';
  const out = [...document.querySelectorAll('body *')]
    .filter((one) => one.getBoundingClientRect().right > clientWidth + 1)
    .map((one) => `${one.tagName.toLowerCase()}.${one.className}: ${one.textContent.trim().slice(0, 40)}`);
  return `${scrollWidth} px wide in ${clientWidth} px: ${out.slice(-3).join(' | ')}`;
}

// What axe finds; in the dark only colours differ.
async function axe(page, scheme) {
  // Not as a script of the page: its policy allows none but its own.
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE_SOURCE);
  const only = scheme === 'dark' ? { runOnly: { type: 'rule', values: ['color-contrast'] } } : {};
  const violations = await page.evaluate(async (options) => {
    const found = await window.axe.run(document, { resultTypes: ['violations'], ...options });
    const node = ({ html, any }) => `${html.slice(0, 160)} ${any[0]?.message ?? ''}`;
    return found.violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map(node) }));
  }, only);
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).join(' | ')}`);
}

// Runs a story, from what it was told to what came of it.
export async function story(act) {
  const watchdog = setTimeout(() => {
    process.stderr.write('the story does not end\n');
    process.exit(2);
  }, WHOLE_STORY);
  const told = await hear();
  // One that finds hosts of its own is nobody else's.
  const shared = told.resolve ? undefined : process.env.CHROMIUM_AT;
  const browser = shared ? await chromium.connect(shared) : await chromium.launch(options(told));
  const stage = new Stage(told, browser);
  let status = 0;
  try {
    const end = (await act(stage)) ?? {};
    await say({ end, problems: stage.problems });
  } catch (error) {
    status = 1;
    await say({ failed: error.stack, problems: stage.problems, pages: await shown(stage) });
  }
  clearTimeout(watchdog);
  await browser.close();
  process.exit(status);
}

// What stands in every page that is open: a story that fails tells what a person would have seen.
async function shown(stage) {
  const texts = stage.pages.filter((page) => !page.isClosed()).map(async (page) => {
    const text = await page.locator('body').innerText({ timeout: 2000 }).catch(() => '');
    return `${page.url()}\n${text.slice(0, 3000)}`;
  });
  return Promise.all(texts);
}

// The task that a form led to has ended, and its page has been loaded anew: a page that is left in that very moment
// may come back.
export async function ended(page) {
  await page.waitForURL(/\/tasks\//);
  await page.waitForFunction(() => !document.querySelector('progress, [data-events]'));
}

// Fails the story where something does not hold.
export function expect(holds, words) {
  if (!holds) throw new Error(words);
}

// The text of a page as a person reads it, with plain spaces.
export async function text(page, selector = 'main') {
  const inner = await page.locator(selector).first().innerText();
  return inner.replaceAll('\u00a0', ' ');
}
