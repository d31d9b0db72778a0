// node --import ./test/support/loads.mjs PROGRAM: tells on standard error each ES module that is loaded, `loaded URL`.
import { register } from 'node:module';

register(
  `data:text/javascript,${encodeURIComponent(`
    import { writeSync } from 'node:fs';
    export async function load(url, context, next) {
      if (url.startsWith('file:')) writeSync(2, 'loaded ' + url + '\\n');
      return next(url, context);
    }`)}`,
);
