import { describe, expect, it } from 'vitest';
import { campaignOf, firstTouch, referredBy } from '../../src/page/campaign';
import { rageDetector } from '../../src/page/clicks';
import { sharedId, sharing } from '../../src/page/cookie';
import { masked } from '../../src/page/elements';
import { effectiveConsent } from '../../src/page/privacy';
import { left, routeOf } from '../../src/page/views';
import { interactions, shifts } from '../../src/page/vitals';

describe('campaigns', () => {
  it('all parameters that ads and mails write are read, and no other', () => {
    const names = (
      'utm_source utm_medium utm_campaign utm_term utm_content utm_id gclid gbraid wbraid dclid fbclid msclkid ' +
      'twclid ttclid yclid li_fat_id igshid rdt_cid mc_cid'
    ).split(' ');
    const query = names.map((name) => `${name}=${name}1`).join('&');
    const found = campaignOf(`https://shop.example/?${query}&token=secret&utm_other=x&xgclid=1`);
    expect(found).toEqual(Object.fromEntries(names.map((name) => [name, `${name}1`])));
    const long = 'https://shop.example/?utm_source=&gclid=' + 'x'.repeat(999);
    expect(campaignOf(long)).toEqual({ gclid: 'x'.repeat(200) });
  });

  it('a link within the site is no touch', () => {
    const at = 'https://shop.example/cart';
    expect(referredBy('', at)).toEqual({});
    expect(referredBy('https://shop.example/', at)).toEqual({});
    expect(referredBy('https://www.shop.example/', at)).toEqual({
      $referrer: 'https://www.shop.example/',
      $referring_domain: 'www.shop.example',
    });
    expect(referredBy('https://www.shop.example/', at, '.shop.example')).toEqual({});
    expect(referredBy('https://notshop.example/', at, '.shop.example')).not.toEqual({});
  });

  it('the first touch says whence, or that nobody sent the visitor', () => {
    expect(firstTouch('https://shop.example/a?utm_source=mail&token=secret#x', { utm_source: 'mail' })).toEqual({
      $initial_current_url: 'https://shop.example/a',
      $initial_host: 'shop.example',
      $initial_pathname: '/a',
      $initial_referrer: '$direct',
      $initial_referring_domain: '$direct',
      $initial_utm_source: 'mail',
    });
    const search = { $referrer: 'https://search.example/', $referring_domain: 'search.example' };
    expect(firstTouch('https://shop.example/', search)).toMatchObject({
      $initial_referrer: 'https://search.example/',
      $initial_referring_domain: 'search.example',
    });
  });
});

describe('rage', () => {
  const rages = (...clicks: [x: number, y: number, at: number][]) => {
    const isRage = rageDetector();
    return clicks.map((click) => isRage(...click));
  };

  it('begins with the third click within a second and 30 pixels, once', () => {
    const five = rages([5, 5, 0], [9, 9, 300], [5, 9, 600], [5, 5, 800], [5, 5, 900]);
    expect(five).toEqual([false, false, true, false, false]);
  });

  it('is over after a pause, and may begin again', () => {
    const one: [number, number, number][] = [[5, 5, 0], [5, 5, 300], [5, 5, 600]];
    const again = one.map(([x, y, at]): [number, number, number] => [x, y, at + 5_000]);
    expect(rages(...one, ...again)).toEqual([false, false, true, false, false, true]);
  });

  it('is not what is slow, far apart, or a label that hands its click on', () => {
    expect(rages([5, 5, 0], [5, 5, 600], [5, 5, 1_200])).toEqual([false, false, false]);
    expect(rages([5, 5, 0], [50, 5, 100], [5, 5, 200])).toEqual([false, false, false]);
    expect(rages([5, 5, 0], [5, 5, 2], [5, 5, 400], [5, 5, 402])).toEqual([false, false, false, false]);
  });

  it('is also what became fast in the end', () => {
    expect(rages([5, 5, 0], [5, 5, 900], [5, 5, 1_100], [5, 5, 1_300])).toEqual([false, false, false, true]);
  });
});

describe('vitals', () => {
  const worst = (...all: [startTime: number, value: number, hadRecentInput?: boolean][]) => {
    const { add_, worst_ } = shifts();
    for (const [startTime, value, hadRecentInput = false] of all) add_({ startTime, value, hadRecentInput });
    return Math.round(worst_() * 1e4) / 1e4;
  };

  it('CLS is the worst burst of shifts, without those that the visitor caused', () => {
    expect(worst()).toBe(0);
    expect(worst([0, 0.1], [900, 0.1], [1_800, 0.1])).toBe(0.3);
    expect(worst([0, 0.1], [1_000, 0.15])).toBe(0.15);
    expect(worst([0, 0.2], [100, 0.5, true], [200, 0.1])).toBe(0.3);
  });

  it('a burst ends after 5 seconds, whatever follows', () => {
    const every900: [number, number][] = Array.from({ length: 10 }, (_, nth) => [nth * 900, 0.1]);
    expect(worst(...every900)).toBe(0.6);
  });

  it('INP is the longest interaction, and of many the 98th percentile', () => {
    const { add_, longest_ } = interactions();
    expect(longest_(0)).toBeUndefined();
    add_({ duration: 900 });
    expect(longest_(0)).toBeUndefined();
    add_({ interactionId: 1, duration: 80 });
    add_({ interactionId: 1, duration: 120 });
    add_({ interactionId: 1, duration: 40 });
    expect(longest_(1)).toBe(120);
    for (let id = 2; id < 30; id++) add_({ interactionId: id, duration: 100 + id * 8 });
    expect(longest_(49)).toBe(332);
    expect(longest_(50)).toBe(324);
    expect(longest_(100)).toBe(316);
    expect(longest_(1e6)).toBe(260);
  });
});

describe('views', () => {
  it('another page is another path, also one in the hash; not another query or anchor', () => {
    const route = (address: string) => routeOf(new URL(address, 'https://shop.example'));
    expect(route('/cart?step=2#top')).toBe('/cart');
    expect(route('/#/cart?step=2')).toBe('/#/cart');
    expect(route('/#!/cart')).toBe('/#!/cart');
    expect(route('/#access_token=secret')).toBe('/');
  });

  it('a leave says how long in seconds and how far', () => {
    expect(left({ route_: '/a', started_: 1_000, seen_: 600, height_: 1_200 }, 3_345.6)).toEqual({
      $prev_pageview_pathname: '/a',
      $prev_pageview_duration: 2.346,
      $prev_pageview_max_content_percentage: 0.5,
    });
    expect(left({ route_: '/a', started_: 0, seen_: 900, height_: 800 }, 1)).toMatchObject({
      $prev_pageview_max_content_percentage: 1,
    });
    expect(left({ route_: '/a', started_: 0, seen_: 0, height_: 0 }, 1)).not.toHaveProperty(
      '$prev_pageview_max_content_percentage',
    );
  });
});

it('texts are masked: mail addresses and digits', () => {
  expect(masked('  Pay\n  19.99 € as ann@example.com ')).toBe('Pay *.* € as *');
  expect(masked('x'.repeat(500))).toHaveLength(100);
});

it('the stricter of consent and signal holds', () => {
  const gpc = { globalPrivacyControl: true };
  expect(effectiveConsent({}, {})).toBe('granted');
  expect(effectiveConsent({}, { doNotTrack: '0' })).toBe('granted');
  expect(effectiveConsent({}, gpc)).toBe('anonymous');
  expect(effectiveConsent({}, { doNotTrack: '1' })).toBe('anonymous');
  expect(effectiveConsent({ privacySignals: 'ignore' }, gpc)).toBe('granted');
  expect(effectiveConsent({ privacySignals: 'denied' }, gpc)).toBe('denied');
  expect(effectiveConsent({ consent: 'denied' }, gpc)).toBe('denied');
  expect(effectiveConsent({ consent: 'denied', privacySignals: 'ignore' }, gpc)).toBe('denied');
});

it('the cookie of a site holds the id, and gives it back', () => {
  const set = sharing('tm_pk_0123456789', '.shop.example', 'a=ü;b', true);
  expect(set).toBe('tm_23456789=a%3D%C3%BC%3Bb;Domain=.shop.example;Path=/;Max-Age=31536000;SameSite=Lax;Secure');
  expect(sharedId('tm_pk_0123456789', `x=1; ${set.split(';')[0]}; y=2`)).toBe('a=ü;b');
  expect(sharedId('tm_pk_0123456789', 'tm_2345678=x; atm_23456789=y')).toBeUndefined();
  expect(sharedId('tm_pk_0123456789', 'tm_23456789=%')).toBeUndefined();
  expect(sharing('tm_pk_0123456789', 'shop.example', '', false)).toContain('Max-Age=0;');
});
