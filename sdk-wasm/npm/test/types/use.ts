/** An app that uses all of the package, and some things that it must not be able to. Compiled by types.mjs, never run. */
import trailmark, { createClient, trailmark as same } from 'trailmark-web';
import type { Draft, FlushReport, Notice, Options, Properties, Stats, Trailmark } from 'trailmark-web';

const options: Options = {
  apiHost: 'https://analytics.example.com',
  consent: 'anonymous',
  cookieDomain: '.example.com',
  requests: ['/api/'],
  beforeSend: (draft: Draft) => (draft.name === 'secret' ? null : draft),
};
const client: Trailmark = trailmark.init('tm_pk_x', options);
const other: Trailmark = createClient().init('tm_pk_y');
const properties: Properties = { total: 12.5, items: [{ id: 'sencha' }] };

client.track('checkout', properties);
client.page();
client.screen('Checkout');
client.identify('u_7', { plan: 'pro' }, { first_seen_in: 'shop' });
client.setPersonProperties({ plan: 'free' });
client.alias('u_8');
client.group('company', 'acme', { name: 'Acme' });
client.register({ currency: 'EUR' });
client.registerOnce({ landing: '/' });
client.unregister('currency');
client.setContext({ app: { name: 'shop' } });
client.reset();
client.optOut();
client.optIn();
client.deleteMyData();
client.captureException(new Error('x'), { step: 'voucher' });
client.captureRequest({ method: 'GET', url: '/api/tea', status: 200, duration_ms: 12 });
export const ids: (string | undefined)[] = [client.anonymousId(), client.userId(), client.sessionId()];
export const isOut: boolean = client.isOptedOut();
export const stop: () => void = client.on('notice', (notice: Notice) => console.log(notice.kind, notice.detail));
export const report: Promise<FlushReport> = client.flush();
export const delivered: Promise<number> = client.shutdown().then((last) => last.delivered);
export const sender: Promise<'engine' | 'plain' | 'other_tab' | 'loading'> = other.stats().then((stats: Stats) => stats.sender);
same.track('the same client');

// @ts-expect-error a name is text
client.track(7);
// @ts-expect-error no such choice
client.init('tm_pk_x', { consent: 'maybe' });
// @ts-expect-error a setting that is none
client.init('tm_pk_x', { apihost: 'https://analytics.example.com' });
// @ts-expect-error an inner matter
client.take_;
