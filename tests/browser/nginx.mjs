// Behind a proxy that speaks TLS: a person is invited, works, sees progress as it happens, sends a large file.
import { ended, expect, story, text } from './browser.mjs';

await story(async (stage) => {
  const { link, password, base } = stage.told;
  const page = await stage.accept(link, password, { secure: false });
  expect(page.url().startsWith(`${base}/`), `a person stays behind the proxy: ${page.url()}`);
  const home = await page.goto('/');
  const hsts = home.headers()['strict-transport-security'];
  const [cookie] = (await page.context().cookies()).filter(({ name }) => name.includes('session'));

  // What waits is seen to wait, and seen to end: the proxy holds no event back.
  await page.goto('/months/2026-10');
  await stage.at('before');
  await page.getByRole('button', { name: 'Contar agora' }).click();
  const events = await page.locator('[data-events]').first().getAttribute('data-events');
  const seen = await page.evaluate((path) => new Promise((done) => {
    const source = new EventSource(path);
    source.addEventListener('progress', ({ data }) => { source.close(); done(data); });
  }), events);
  await stage.at('waits');
  await ended(page);

  // More than a proxy lets through by itself: the console itself says what it thinks of it.
  await page.goto('/receivables/import');
  const lines = 'number,on,amount\n' + '2026-000001,nunca,1014.00\n'.repeat(200_000);
  await page.locator('input[type=file]').setInputFiles({ name: 'grande.csv', mimeType: 'text/csv', buffer: Buffer.from(lines) });
  await page.getByRole('button', { name: 'Enviar e conferir' }).click();
  await page.getByRole('alert').waitFor();
  return { cookie, hsts, seen, said: await text(page) };
});
