// The bank's file is looked at, confirmed, and pays once; who is late is reminded; a payment is taken back.
import { expect, story, text } from './browser.mjs';

await story(async (stage) => {
  const { finance, file, script } = stage.told;
  const page = await stage.accept(finance.invitation, finance.password, { script });

  await page.goto('/receivables');
  const ages = await text(page);
  expect(/R\$ 3\.855,00/.test(ages), `what is open and overdue:\n${ages}`);
  await stage.inspect(page, 'recebimentos');

  // Looked at first: which invoice, and why; what is a person's to say; what is no payment.
  await send(page, file);
  const matches = await text(page);
  for (const words of ['2026-000001', '2026-000002', 'DEPOSITO EM DINHEIRO', '1.514,00']) {
    expect(matches.includes(words), `${words} is not in what the file means:\n${matches}`);
  }
  await stage.inspect(page, 'extrato');
  await page.getByRole('button', { name: /^Registrar/ }).click();
  await page.getByRole('status').waitFor();
  await stage.at('confirmed');

  await send(page, file);
  expect(/já registrada/i.test(await text(page)), `the same file again:\n${await text(page)}`);
  await stage.inspect(page, 'extrato-de-novo');
  const again = page.getByRole('button', { name: /^Registrar/ });
  if (await again.count()) await again.click();
  await stage.at('again');

  // Who is late, by age, and a reminder.
  await page.goto('/receivables');
  await page.getByRole('link', { name: /d3/ }).first().click();
  await stage.inspect(page, 'conta');
  await page.getByRole('button', { name: 'Enviar lembrete agora' }).click();
  await page.getByRole('status').waitFor();
  await stage.at('reminded');

  // The bank took one back.
  await page.goto('/invoices');
  await page.getByLabel('Número, nome ou CNPJ').fill('000001');
  await page.getByRole('button', { name: 'Buscar' }).click();
  await stage.inspect(page, 'faturas');
  await page.getByRole('link', { name: '2026-000001' }).click();
  await stage.inspect(page, 'fatura');
  await page.getByText('Desfazer um pagamento').click();
  const undo = page.locator('form[action*="/undo"]');
  await undo.getByLabel(/Por quê/).fill('estornado pelo banco');
  await undo.getByRole('button', { name: 'Desfazer' }).click();
  await page.getByRole('status').waitFor();
  expect(/estornado pelo banco/.test(await text(page)), `why stands on the page:\n${await text(page)}`);
  await stage.inspect(page, 'fatura-estornada');
});

async function send(page, file) {
  await page.goto('/receivables');
  await page.getByRole('link', { name: 'Extrato do banco' }).click();
  await page.locator('input[type=file]').setInputFiles(file);
  await page.getByRole('button', { name: 'Enviar e conferir' }).click();
  await page.waitForURL(/\/receivables\/import\/./);
}
