// npm run bench: every figure is a ratio, or a count, of one run on one machine.
import { benchDelivery } from './delivery.mjs';

const rows = await benchDelivery();
const width = Math.max(...rows.map(({ name }) => name.length));
for (const { name, figure, target, met } of rows) {
  console.log(`${met ? '  ' : '! '}${name.padEnd(width)}  ${figure}  (target ${target})`);
}
