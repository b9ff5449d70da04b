/**
 * Checks the types of the package as an app sees them: every public type of src/api.ts is there, use.ts compiles, and what
 * it marks as wrong is refused; by TypeScript set up as for a bundler and as for Node.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const here = import.meta.dirname;
const app = join(here, 'dist/app');

/** Both ways in which apps find a package's types. Libraries are checked too: the package is one here. */
const SETTINGS = [
  { module: 'ESNext', moduleResolution: 'Bundler' },
  { module: 'NodeNext', moduleResolution: 'NodeNext' },
];

const names = [...readFileSync(join(here, 'src/api.ts'), 'utf8').matchAll(/^export (?:interface|type) (\w+)/gm)].map(([, name]) => name);
if (names.length < 5) throw new Error(`src/api.ts has only the types ${names}`);

rmSync(app, { recursive: true, force: true });
const installed = join(app, 'node_modules/trailmark-web');
mkdirSync(join(installed, 'dist'), { recursive: true });
copyFileSync(join(here, 'package.json'), join(installed, 'package.json'));
symlinkSync(join(here, 'dist/npm'), join(installed, 'dist/npm'));
writeFileSync(join(app, 'package.json'), '{ "type": "module" }');
copyFileSync(join(here, 'test/types/use.ts'), join(app, 'use.ts'));
writeFileSync(join(app, 'names.ts'), names.map((name) => `export type { ${name} } from 'trailmark-web';\n`).join(''));

for (const settings of SETTINGS) {
  const compilerOptions = { ...settings, noEmit: true, strict: true, exactOptionalPropertyTypes: true, target: 'ES2022', types: [] };
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts', 'names.ts'] }));
  const { status } = spawnSync(process.execPath, [join(here, 'node_modules/typescript/bin/tsc')], { cwd: app, stdio: 'inherit' });
  if (status !== 0) throw new Error(`the types do not hold with ${JSON.stringify(settings)}`);
}
console.log(`types: ${names.length} public types, as for a bundler and as for Node`);
