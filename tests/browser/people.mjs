// People come, look at each other's plans, and go.
import { ended, expect, story, text } from './browser.mjs';

await story(async (stage) => {
  const { admin, finance } = stage.told;

  // The first person is invited on the machine, and chooses a password that is not guessed.
  const door = await stage.someone();
  await door.goto(new URL(admin.invitation).pathname);
  await stage.inspect(door, 'convite');
  await choose(door, 'curta');
  expect(await door.getByText(/pelo menos 12 letras/i).first().isVisible(), 'a short password is refused, and why');
  await stage.inspect(door, 'convite-recusado');
  const ana = await stage.accept(admin.invitation, admin.password);
  const used = await ana.request.get(new URL(admin.invitation).pathname);
  expect(!(await used.text()).includes('type="password"'), 'an invitation serves once');

  // She invites another, whose link is shown once.
  await ana.goto('/system/people');
  const form = ana.locator('form[action^="/system/people?"]');
  await form.getByLabel('E-mail').fill(finance.email);
  await form.getByLabel('Nome').fill(finance.name);
  await form.getByLabel('Papel').selectOption('finance');
  await form.getByRole('button', { name: 'Convidar' }).click();
  const said = await ana.getByRole('status').innerText();
  const invitation = said.match(/https?:\/\/\S+\/invitation\/\S+/)?.[0];
  expect(invitation, `the link is shown: ${said}`);
  await stage.inspect(ana, 'pessoas');
  await ana.reload();
  expect(!(await text(ana)).includes('/invitation/'), 'the link is shown once');
  const bia = await stage.accept(invitation, finance.password);
  expect((await bia.goto('/system/people')).status() === 403, 'people are the business of admins');

  // Who opens the review first has asked for the plan: somebody else releases it.
  await bia.goto('/months/2026-10');
  await stage.inspect(bia, 'quatro-olhos');
  const own = bia.getByRole('button', { name: /^Liberar/ });
  if (await own.count()) {
    await bia.getByLabel(/Por quê|Motivo/).fill('eu mesma');
    await own.click();
  }
  expect(/outra pessoa/i.test(await text(bia)), `two people are wanted:\n${await text(bia)}`);
  await stage.at('asked');
  await ana.goto('/months/2026-10');
  await ana.getByLabel(/Por quê|Motivo/).fill('revisto por duas pessoas');
  await ana.getByRole('button', { name: /^Liberar/ }).click();
  await ended(ana);
  await stage.at('released');

  // A token is shown once.
  await ana.goto('/system/tokens');
  await ana.getByLabel('Para que serve').fill('painel');
  await ana.getByRole('button', { name: 'Criar token' }).click();
  const made = await ana.getByRole('status').innerText();
  const token = made.split(': ').at(-1).trim();
  await stage.inspect(ana, 'tokens');
  await ana.reload();
  expect(!(await text(ana)).includes(token), 'a token is shown once');

  // Who is disabled is out with the next click.
  await bia.goto('/');
  await ana.goto('/system/people');
  const row = ana.getByRole('row').filter({ hasText: finance.email });
  await row.locator('summary').click();
  await row.getByRole('button', { name: 'Desativar' }).click();
  await ana.getByRole('status').waitFor();
  await bia.getByRole('link', { name: 'Meses', exact: true }).click();
  await bia.waitForURL(/\/login/);
  await bia.getByLabel('E-mail').fill(finance.email);
  await bia.getByLabel('Senha').fill(finance.password);
  await bia.getByRole('button', { name: 'Entrar' }).click();
  expect(await bia.getByText('E-mail ou senha incorretos.').isVisible(), 'who is disabled is told no more than a stranger');
  await stage.inspect(bia, 'entrar-recusado');

  // All of it by name.
  await ana.goto('/audit');
  const audit = await text(ana);
  for (const words of ['Ana Souza', 'Bia Lima', 'revisto por duas pessoas']) {
    expect(audit.includes(words), `${words} is not in the audit log:\n${audit}`);
  }
  await stage.inspect(ana, 'auditoria');

  // Whoever leaves is out.
  await ana.getByRole('button', { name: 'Sair' }).click();
  await ana.waitForURL(/\/login/);
  await ana.goto('/system');
  expect(/\/login/.test(ana.url()), 'whoever left has to log in');
  return { token };
});

async function choose(page, password) {
  for (const field of await page.locator('input[type=password]').all()) await field.fill(password);
  await page.getByRole('button', { name: 'Guardar e entrar' }).click();
}
