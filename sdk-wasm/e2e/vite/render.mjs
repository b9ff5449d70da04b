// What a server that renders pages does with the package: import it, and call what the components call.
import assert from 'node:assert/strict';
import trailmark, { createClient } from 'trailmark-web';

const client = trailmark.init('tm_pk_of_a_vite_app', { apiHost: 'http://127.0.0.1:1' });
client.track('rendered');
client.identify('u_7');
client.page();
client.on('notice', () => {});
createClient().track('rendered');
assert.equal(client.anonymousId(), undefined);
await Promise.all([client.flush(), client.stats()]);
console.log('rendered');
