// The phone simulator in a process of its own, so that its work is not counted with the client's.
import { startPhone } from '../dist/phone-simulator/phone.js';

const phone = await startPhone();
process.send({ host: phone.host, ca: phone.ca });
process.on('message', () => process.send({ connections: phone.connections, requests: phone.requests.length }));
process.on('disconnect', () => phone.close());
