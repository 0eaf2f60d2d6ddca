// A page that is wrong in every way that the stories look for: what they find there.
import { story } from './browser.mjs';

await story(async (stage) => {
  const page = await stage.someone();
  await page.route('**/*', (route) => route.fulfill({
    contentType: 'text/html',
    headers: { 'Content-Security-Policy': "default-src 'none'" },
    body: `<!doctype html><html><head><title></title></head><body><main><img src="/away.png">
      <pre>${'wide '.repeat(200)}</pre><p style="color: #eee">Olá</p></main></body></html>`,
  }));
  await page.goto('http://127.0.0.1:1/wrong');
  await stage.inspect(page, 'wrong');
  await page.evaluate(() => setTimeout(() => { throw new Error('a script fails'); }));
  await page.waitForEvent('pageerror');
  const found = stage.problems.splice(0);
  return { found };
});
