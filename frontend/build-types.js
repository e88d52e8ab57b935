// Types beside the bundles: tsc writes those of the sources, and leaves the hand-written ones to be copied.
import { execFileSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';

execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.'], { stdio: 'inherit' });
copyFileSync('../static/js/core/types.d.ts', 'dist/types/static/js/core/types.d.ts');
for (const name of ['index', 'headless', 'core', 'element']) {
  writeFileSync(`dist/${name}.d.ts`, `export * from './types/frontend/src/${name}.js';\n`);
}
copyFileSync('src/styles.css', 'dist/styles.css');
