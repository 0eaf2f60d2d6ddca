// The first of the month: a link in an email leads to what would be issued; it is read, and released as read.
import { expect, story, text } from './browser.mjs';

const REASON = 'conferido com a diretoria';

await story(async (stage) => {
  const { link, finance, viewer, script } = stage.told;
  for (const person of [finance, viewer]) {
    const first = await stage.accept(person.invitation, person.password);
    await first.context().close();
  }

  // From the email to the log in, and from there to the month.
  const bia = await stage.someone({ script });
  await bia.goto(new URL(link).pathname);
  await stage.fill(bia, finance.email, finance.password);
  expect(new URL(bia.url()).pathname === '/months/2026-11', `the link leads to the month: ${bia.url()}`);
  await read(stage, bia);
  const answers = await stage.at('reviewed');

  // Meanwhile messages came: nothing is issued, and the page shows what changed.
  await release(bia);
  await bia.getByText(/Nada foi emitido: o mês já não é o que foi lido/).waitFor();
  await bia.getByRole('link', { name: 'Ver o mês' }).click();
  const changed = await text(bia, '#changed >> xpath=..');
  expect(/d7/.test(changed) && /R\$ 1\.027,80/.test(changed), `the page shows what changed:\n${changed}`);
  await stage.inspect(bia, 'mes-mudou');
  await stage.at('refused');

  // Released as it is now; another browser sees the same, and may not release.
  const caio = await stage.signIn(viewer, { script });
  await caio.goto('/months/2026-11');
  expect(await caio.getByRole('button', { name: /^Liberar/ }).count() === 0, 'who only reads releases nothing');
  await bia.goto('/months/2026-11');
  await release(bia);
  await bia.waitForURL(/\/tasks\//);
  const task = new URL(bia.url()).pathname;
  await caio.goto(task);
  stage.away = true;
  await stage.at('released');

  // The daemon was killed in the middle, and runs again: both browsers see it go on, and end.
  await Promise.all([over(bia), over(caio)]);
  stage.away = false;
  await stage.inspect(caio, 'liberado');
  await bia.goto('/months/2026-11');
  const closed = await text(bia);
  expect(closed.includes('Fechado'), `the month is closed:\n${closed}`);
  await stage.inspect(bia, 'mes-fechado');
  return answers;
});

// What a person reads before a release: total against last month, exceptions, who fell silent, zero residual,
// three pro-formas.
async function read(stage, page) {
  const review = await text(page);
  for (const words of ['Retido', stage.told.total, stage.told.silent, 'Resíduo zero', '✓ soma dos grupos']) {
    expect(review.includes(words), `${words} is not in the review:\n${review}`);
  }
  await stage.inspect(page, 'mes-retido');
  const proformas = page.locator('a[href*="/pro-forma/"]:not([href$=".pdf"])');
  const paths = await proformas.evaluateAll((links) => links.slice(0, 3).map((link) => link.getAttribute('href')));
  expect(paths.length === 3, 'three pro-formas can be opened');
  for (const [index, path] of paths.entries()) {
    await page.goto(path);
    expect(/R\$ [\d.]+,\d\d/.test(await text(page)), `${path} says what it comes to`);
    if (index === 0) await stage.inspect(page, 'pro-forma');
    const pdf = await page.request.get(`${path}.pdf`);
    const bytes = await pdf.body();
    expect(pdf.ok() && bytes.subarray(0, 5).toString() === '%PDF-', `${path}.pdf`);
  }
  await page.goto('/months/2026-11');
}

async function release(page) {
  await page.getByLabel(/Por quê|Motivo/).fill(REASON);
  await page.getByRole('button', { name: /^Liberar/ }).click();
  await page.waitForLoadState();
}

// The bar moves by itself, until the page says that it is over; without script the page is loaded anew.
async function over(page) {
  const places = new Set();
  const bar = page.locator('progress');
  while (await bar.count()) {
    places.add(await bar.evaluate((one) => one.value, null, { timeout: 5000 }).catch(() => undefined));
    await page.waitForTimeout(100);
  }
  await page.getByText('Concluída').waitFor();
  expect(!page.hasScript || places.size > 2, `the bar moves: ${[...places]}`);
}
