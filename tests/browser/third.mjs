// The third, eight o'clock: a contract is put right, a month compared, what came late accepted, revisions issued.
import { ended, expect, story, text } from './browser.mjs';

const REASON = 'mensagens atrasadas; d17 no pacote errado';

await story(async (stage) => {
  const { admin, script } = stage.told;
  const page = await stage.accept(admin.invitation, admin.password, { script });

  // d17 was on the wrong package.
  await page.goto('/dealerships');
  await page.getByLabel(/Nome, identificação/).fill('d17');
  await page.getByRole('button', { name: 'Procurar' }).click();
  await page.locator('main table').getByRole('link').first().click();
  await page.getByText('Mudar o contrato').click();
  await page.getByLabel('A partir do mês').fill('2026-10');
  await page.getByLabel('Pacote', { exact: true }).selectOption('10000');
  await page.getByRole('button', { name: 'Gravar contrato' }).click();
  await page.getByRole('status').waitFor();
  await stage.inspect(page, 'contrato-mudado');

  // The month is counted again; what differs, by cause, in reais.
  await page.goto('/months/2026-10');
  await stage.inspect(page, 'mes-de-outubro');
  await page.getByRole('button', { name: 'Recontar e comparar' }).click();
  await ended(page);
  await page.goto('/months/2026-10/differences');
  const differences = await text(page);
  for (const words of ['d17', 'd12', '552,00']) {
    expect(differences.includes(words), `${words} is not in the differences:\n${differences}`);
  }
  await stage.inspect(page, 'diferencas');

  // `late` for all, `contract` for d17; what that comes to is looked at before it is issued.
  await page.locator('input[name=all][value=late]').check();
  const d17 = page.locator('details').filter({ hasText: /^d17 /m });
  if (!(await d17.evaluate((details) => details.open))) await d17.locator('summary').click();
  await d17.locator('input[name=of]').check();
  await page.getByRole('button', { name: 'Conferir o que foi marcado' }).click();
  await page.getByLabel(/^Por quê/).fill(REASON);
  await stage.inspect(page, 'diferencas-aceitas');
  await page.getByRole('button', { name: 'Emitir 13 revisões' }).click();
  await ended(page);
  await stage.inspect(page, 'refeito');
  const done = await text(page);
  expect(done.includes('d17'), `what was revised:\n${done}`);

  // The emails go.
  await page.goto('/emails?month=2026-10');
  await stage.inspect(page, 'emails-indo');
});
