// What pages say where something goes on, went wrong, is not there or is nobody's business.
import { ended, expect, story, text } from './browser.mjs';

// More than a form may have.
const TOO_MUCH = 'a'.repeat(300 * 1024);

await story(async (stage) => {
  const { admin, viewer, number, held } = stage.told;
  const shows = async (page, path, status, name) => {
    const answer = await page.goto(path);
    await looks(stage, page, answer, status, name);
  };
  const answers = async (page, path, fields, status, name) => {
    const answer = await send(page, path, fields);
    await looks(stage, page, answer, status, name);
  };

  // Whoever is not signed in.
  const stranger = await stage.someone();
  await shows(stranger, '/login', 200, 'entrar');
  await shows(stranger, '/invitation/nenhum', 404, 'convite-que-nao-vale');
  await shutOut(stage, stranger);

  // Whoever may not.
  const leo = await stage.accept(viewer.invitation, viewer.password);
  await shows(leo, '/system/people', 403, 'sem-permissao');
  await shows(leo, `/months/${held}`, 200, 'mes-retido-de-quem-le');
  await shows(leo, `/invoices/${number}`, 200, 'fatura-de-quem-le');

  // What is not there, and what cannot be meant.
  const ana = await stage.accept(admin.invitation, admin.password);
  await shows(ana, '/nada/disto', 404, 'nada-aqui');
  await shows(ana, '/invoices/2026-999999', 404, 'fatura-que-nao-ha');
  await shows(ana, `/months/${held}/invoices.csv?layout=outro`, 400, 'pedido-incompleto');
  await shows(ana, '/months/2020-01', 200, 'mes-antes-do-livro');
  await shows(ana, '/invoices?month=outubro', 200, 'faturas-de-nenhum-mes');
  await shows(ana, '/invoices?q=ninguem', 200, 'faturas-nenhuma');
  await shows(ana, '/dealerships?q=ninguem', 200, 'concessionarias-nenhuma');
  await answers(ana, '/months?once=s1', {}, 405, 'metodo');
  await answers(ana, `/invoices/${number}/pay?once=s2`, { on: '2026-11-05', reference: TOO_MUCH }, 413, 'grande-demais');
  const credit = { kind: 'credit', amount: '1,00', month: '2026-12', description: 'um' };
  await answers(ana, '/dealerships/d1/credit?once=s3', credit, 200, 'credito');
  await answers(ana, '/dealerships/d1/credit?once=s3', { ...credit, description: 'outro' }, 409, 'enviado-antes');

  // A task that failed, one that runs, one that waits behind it, and a month where they do.
  const { failed } = await stage.at('asked');
  await ana.goto(failed);
  await ended(ana);
  expect(/Não foi possível/.test(await text(ana)), `it failed:\n${await text(ana)}`);
  await stage.inspect(ana, 'tarefa-falhou');
  await stage.at('before');
  const tasks = [];
  for (const [index, deed] of ['2026-10/compare', '2026-12/preview'].entries()) {
    await answers(ana, `/months/${deed}?once=s${5 + index}`, {}, 200, ['tarefa-andando', 'tarefa-na-fila'][index]);
    expect(await ana.locator('[data-events]').count() === 1, `${deed} is not over:\n${await text(ana)}`);
    tasks.push(new URL(ana.url()).pathname);
  }
  await shows(ana, '/months/2026-10', 200, 'mes-com-tarefa');
  await shows(ana, '/system', 200, 'sistema-com-tarefas');
  const leaving = await leave(ana, tasks[0]);
  await stage.at('waits');
  for (const task of tasks) {
    await ana.goto(task);
    await ended(ana);
  }
  await leaving.arrives();
  await stage.inspect(ana, 'tarefa-feita');
  await shows(ana, '/months/2026-12', 200, 'mes-em-curso');
  await ana.goto('/system');
  await ana.getByRole('button', { name: 'Verificar agora' }).click();
  await ana.getByRole('row').nth(3).waitFor();
  await stage.inspect(ana, 'sistema-verificado');
});

// Somebody leaves the page of a task for one that is slow to come. The task ends meanwhile: the page does not call
// them back.
async function leave(page, task) {
  const other = await page.context().newPage();
  await other.goto(task);
  let come;
  const slow = new Promise((done) => { come = done; });
  await other.route('**/emails', async (route) => {
    await slow;
    await route.continue();
  });
  await other.getByRole('link', { name: 'E-mails', exact: true }).click({ noWaitAfter: true });
  return {
    async arrives() {
      come();
      await other.waitForURL(/\/emails$/);
      await other.close();
    },
  };
}

// The status, and the page as all must be.
async function looks(stage, page, answer, status, name) {
  expect(answer.status() === status, `${page.url()}: ${answer.status()}, not ${status}:\n${await text(page)}`);
  await stage.inspect(page, name);
}

// Wrong passwords, until nobody is let in for a while.
async function shutOut(stage, page) {
  for (let tries = 0; tries < 20; tries += 1) {
    const answer = await send(page, '/login', { email: 'nina@example.com', password: 'nenhuma destas é' });
    if (answer.status() === 429) return stage.inspect(page, 'entrar-fechado');
    expect(answer.status() === 422, `a wrong password: ${answer.status()}`);
  }
  throw new Error('passwords may be tried without end');
}

// Sends a form as somebody does whose page is old; what answers, after a redirect.
async function send(page, path, fields) {
  const [answer] = await Promise.all([
    page.waitForNavigation(),
    page.evaluate(({ path: action, fields: typed }) => {
      const form = Object.assign(document.createElement('form'), { method: 'post', action });
      for (const [name, value] of Object.entries(typed)) {
        form.append(Object.assign(document.createElement('textarea'), { name, value }));
      }
      document.body.append(form);
      form.submit();
    }, { path, fields }),
  ]);
  return answer;
}
