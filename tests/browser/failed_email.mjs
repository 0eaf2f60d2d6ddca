// An email failed: the page says why; it goes to a new address.
import { expect, story, text } from './browser.mjs';

await story(async (stage) => {
  const { finance, old, new: to } = stage.told;
  const page = await stage.accept(finance.invitation, finance.password);

  // It is found from the first page on.
  await page.goto('/');
  expect(/não f(oi|oram) entregue/.test(await text(page)), `the first page says so:\n${await text(page)}`);
  await stage.inspect(page, 'hoje-email-falhou');
  await page.getByRole('navigation', { name: 'Seções' }).getByRole('link', { name: /E-mails/ }).click();
  const failed = page.getByRole('row').filter({ hasText: old }).filter({ hasText: 'no such user' });
  expect(await failed.isVisible(), `why it failed:\n${await text(page)}`);
  await stage.inspect(page, 'emails-falhou');

  // An address that is none is refused beside its field.
  const field = failed.getByLabel(/Para outro endereço/);
  await page.locator('form[action*="/again"]').first().evaluate((form) => { form.noValidate = true; });
  await field.fill('não é endereço');
  await failed.getByRole('button', { name: 'Enviar de novo' }).click();
  await page.getByRole('alert').waitFor();
  await stage.inspect(page, 'emails-recusado');
  await page.getByLabel(/Para outro endereço/).fill(to);
  await page.getByRole('button', { name: 'Enviar de novo' }).click();
  await page.getByRole('status').waitFor();
  await stage.at('sent');

  await page.goto('/emails');
  const all = await text(page);
  await page.goto('/emails?state=sent');
  const sent = await text(page);
  expect(sent.includes(to) || all.includes(to), `it was sent to ${to}:\n${sent}`);
  await stage.inspect(page, 'emails');
});
