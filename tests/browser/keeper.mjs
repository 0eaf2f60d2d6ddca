// One Chromium for all stories of a test run, which takes seconds to start: says where it is reached, and closes it
// when its standard input ends, as it does with the test however that ends.
import { chromium, options } from './chromium.mjs';

const server = await chromium.launchServer({ ...options(), host: '127.0.0.1' });
process.stdout.write(`${server.wsEndpoint()}\n`);
process.stdin.resume().on('end', async () => {
  await server.close();
  process.exit();
});
