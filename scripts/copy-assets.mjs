// What the compiler does not carry over: templates and stylesheets.
import { chmodSync, cpSync } from 'node:fs';

for (const folder of ['pages/views', 'pages/public', 'phone-simulator/public']) {
  cpSync(`src/${folder}`, `dist/${folder}`, { recursive: true });
}
chmodSync('dist/main.js', 0o755);
