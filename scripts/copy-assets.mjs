// What the compiler does not carry over: templates and stylesheets.
import { chmodSync, cpSync } from 'node:fs';

for (const folder of ['views', 'public']) cpSync(`src/pages/${folder}`, `dist/pages/${folder}`, { recursive: true });
chmodSync('dist/main.js', 0o755);
