import type { Schema } from '../../../api/types';

type Alert = Schema<'Alert'>;
type Kind = Schema<'ProblemKind'>;
type On = Schema<'AlertOn'>;
type To = Schema<'AlertChannel'>;

/** An alert as it is typed. */
export interface Draft {
  name: string;
  to: 'webhook' | 'email';
  /** Empty in a change: the URL stays, of which only the host is ever shown. */
  url: string;
  addresses: string;
  on: 'all' | 'kinds' | 'number';
  kinds: readonly Kind[];
  subject: string;
  savedQuery: string;
  series: string;
  bound: 'above' | 'below';
  value: string;
  recover: boolean;
  /** In hours; empty: never. */
  remind: string;
}

export const EMPTY: Draft = {
  name: '',
  to: 'webhook',
  url: '',
  addresses: '',
  on: 'all',
  kinds: [],
  subject: '',
  savedQuery: '',
  series: '',
  bound: 'above',
  value: '',
  recover: true,
  remind: '',
};

/** An alert, to be typed on. */
export function draftOf(alert: Alert): Draft {
  const { kinds, subject, threshold } = alert.on;
  return {
    ...EMPTY,
    name: alert.name,
    ...('email' in alert.to ? { to: 'email', addresses: alert.to.email.to.join(', ') } : { to: 'webhook' }),
    on: threshold ? 'number' : kinds ? 'kinds' : 'all',
    kinds: kinds ?? [],
    subject: subject ?? '',
    ...(threshold && {
      savedQuery: String(threshold.saved_query),
      series: threshold.series ?? '',
      bound: threshold.below == null ? 'above' : 'below',
      value: String(threshold.below ?? threshold.above ?? ''),
    }),
    recover: alert.recover,
    remind: alert.remind_every_minutes == null ? '' : String(alert.remind_every_minutes / 60),
  };
}

/** What was typed, to be made. */
export const newOf = (draft: Draft): Schema<'NewAlert'> => ({
  ...rest(draft),
  to: to(draft),
  enabled: true,
});

/** What was typed, as a change: a webhook whose URL nobody typed anew stays where it is. */
export const changeOf = (draft: Draft): Schema<'ChangedAlert'> =>
  draft.to === 'webhook' && draft.url === '' ? rest(draft) : { ...rest(draft), to: to(draft) };

function rest(draft: Draft) {
  return {
    name: draft.name.trim(),
    on: on(draft),
    recover: draft.recover,
    remind_every_minutes: draft.remind === '' ? null : Math.round(Number(draft.remind) * 60),
  };
}

function to(draft: Draft): To {
  if (draft.to === 'webhook') return { webhook: { url: draft.url.trim() } };
  return { email: { to: draft.addresses.split(/[\s,;]+/).filter(Boolean) } };
}

function on(draft: Draft): On {
  if (draft.on === 'number') {
    const series = draft.series.trim();
    const bound = { [draft.bound]: Number(draft.value) };
    return { threshold: { saved_query: Number(draft.savedQuery), ...bound, ...(series && { series }) } };
  }
  if (draft.on === 'all' || draft.kinds.length === 0) return {};
  const subject = draft.subject.trim();
  return { kinds: [...draft.kinds], ...(subject && { subject }) };
}
