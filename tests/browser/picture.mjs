// Pictures of pages, for README and docs: a line of JSON says who looks at what, and where the pictures go.
import { story } from './browser.mjs';

await story(async (stage) => {
  const { invitation, password, pictures } = stage.told;
  const first = await stage.accept(invitation, password);
  const state = await first.context().storageState();
  for (const { path, width, height, scheme, file } of pictures) {
    const page = await stage.someone({ width, scheme, state });
    await page.setViewportSize({ width, height });
    await page.goto(path, { waitUntil: 'networkidle' });
    await page.screenshot({ path: file });
  }
});
