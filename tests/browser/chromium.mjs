// How Chromium is started, from the folder that scripts/test installs its driver in.
import { createRequire } from 'node:module';
import { join } from 'node:path';

export const here = createRequire(join(process.cwd(), 'package.json'));
export const { chromium } = here('playwright-core');

// `resolve`: where it finds a host that is in no DNS.
export const options = ({ resolve } = {}) => ({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--font-render-hinting=none', ...(resolve ? [`--host-resolver-rules=${resolve}`] : [])],
});
