// The first hour: what the demo printed is all that is needed; six months are there to be looked at.
import { expect, story, text } from './browser.mjs';

await story(async (stage) => {
  const page = await stage.signIn(stage.told.person);
  const today = await text(page);
  expect(/O que precisa de você/.test(today) && /Em aberto/.test(today), `the first page:\n${today}`);
  await page.getByRole('link', { name: 'Todos os meses' }).click();
  const months = await page.locator('main tbody th a').allInnerTexts();
  expect(months.length === 6, `six months: ${months}`);
  await page.locator('main tbody th a').first().click();
  expect(/Fechado/.test(await text(page)), `a month that is closed:\n${await text(page)}`);
  await page.locator('main a[href^="/invoices/2"]').first().click();
  expect(/Linha por linha/.test(await text(page)), `an invoice, explained:\n${await text(page)}`);
  return { months };
});
