import type { Schema } from '../../../api/types';
import { count } from '../../../format';
import { Badge } from '../../../parts/badge';
import { clock } from '../../../parts/time';
import { kindName } from '../../health/problems/kinds';

type Alert = Schema<'Alert'>;

/** Where an alert tells. */
export const where = ({ to }: Alert): string => ('webhook' in to ? to.webhook.url : to.email.to.join(', '));

/** Which problems an alert tells of. */
export function which({ on }: Alert): string {
  if (on.threshold) {
    const { saved_query, series, above, below } = on.threshold;
    const bound = above == null ? `below ${count(below)}` : `above ${count(above)}`;
    return `the answer of saved question ${saved_query}${series ? ` (${series})` : ''} is ${bound}`;
  }
  if (!on.kinds) return 'all problems';
  const kinds = on.kinds.map((kind) => kindName(kind).toLowerCase()).join(' · ');
  return on.subject ? `${kinds}: only ${on.subject}` : kinds;
}

export function AlertState({ alert }: { alert: Alert }) {
  if (!alert.enabled) return <Badge tone="warn">off{alert.disabled_reason && `: ${alert.disabled_reason}`}</Badge>;
  if (alert.silenced_until && Date.parse(alert.silenced_until) > clock.value) return <Badge>silenced</Badge>;
  if (alert.dead > 0) return <Badge tone="bad">{count(alert.dead)} not delivered</Badge>;
  return <Badge tone="good">on</Badge>;
}
