// Excel's files are dragged in: what is wrong, what is alike, what would change; then it is applied.
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { ended, expect, story, text } from './browser.mjs';

await story(async (stage) => {
  const { admin, files, script } = stage.told;
  const page = await stage.accept(admin.invitation, admin.password, { script });

  await page.goto('/dealerships');
  await page.getByRole('link', { name: 'Importar cadastro' }).click();
  await send(page, script, [files.wrong]);
  const wrong = await text(page);
  expect(/linha 2/.test(wrong) && /PARANÁ/.test(wrong), `the row, the column and why:\n${wrong}`);
  await stage.inspect(page, 'importar-errado');
  await stage.at('wrong');

  await send(page, script, [files.twins]);
  const twins = await text(page);
  expect(/D1/.test(twins) && /d1/.test(twins) && /linha 4/.test(twins), `twins, and why:\n${twins}`);
  expect((await page.getByRole('button', { name: 'Aplicar' }).count()) === 0, 'twins are not applied');
  await stage.inspect(page, 'importar-gemeas');
  await stage.at('twins');

  await send(page, script, [files.good, files.contracts]);
  const shown = await text(page);
  for (const words of ['Rua Um, 1', 'Rua Dois, 22', 'novo@example.com', 'd4']) {
    expect(shown.includes(words), `${words} is not shown:\n${shown}`);
  }
  await stage.inspect(page, 'importar');
  await stage.at('shown');
  await page.getByRole('button', { name: 'Aplicar' }).click();
  await ended(page);
  await stage.inspect(page, 'importado');

  // The dealership's page tells what it is now, and what it used.
  await page.goto('/dealerships');
  await page.getByLabel(/Nome, identificação/).fill('d1');
  await page.getByRole('button', { name: 'Procurar' }).click();
  await page.locator('main table').getByRole('link').first().click();
  const one = await text(page);
  for (const words of ['Rua Dois, 22', 'novo@example.com', '4.100', 'Contratos', 'Qual pacote serve']) {
    const fields = await page.locator('main input').evaluateAll((inputs) => inputs.map((input) => input.value).join('\n'));
    expect(one.includes(words) || fields.includes(words), `${words} is not on the page:\n${one}\n${fields}`);
  }
  await stage.inspect(page, 'concessionaria');
});

// Whoever has no script chooses the files; whoever has drags them.
async function send(page, script, paths) {
  if (script) {
    const dropped = await Promise.all(paths.map(async (path) => ({ name: basename(path), text: (await readFile(path)).toString('base64') })));
    const data = await page.evaluateHandle((all) => {
      const transfer = new DataTransfer();
      for (const { name, text: base64 } of all) {
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.codePointAt(0));
        transfer.items.add(new File([bytes], name, { type: 'text/csv' }));
      }
      return transfer;
    }, dropped);
    await page.dispatchEvent('.drop', 'drop', { dataTransfer: data });
  } else {
    await page.locator('input[type=file]').setInputFiles(paths);
  }
  await page.getByRole('button', { name: 'Ver o que mudaria', exact: true }).click();
  await page.waitForLoadState();
}
