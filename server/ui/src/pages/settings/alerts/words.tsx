import type { Schema } from '../../../api/types';
import { count } from '../../../format';
import { Badge } from '../../../parts/badge';
import { clock } from '../../../parts/time';
import { kindName } from '../../health/problems/kinds';

type Alert = Schema<'Alert'>;

/** Where an alert tells. */
export const where = ({ to }: Alert): string => ('webhook' in to ? to.webhook.url : to.email.to.join(', '));

/** Which problems an alert tells of, after the word “tells”. */
export function which({ on }: Pick<Alert, 'on'>): string {
  if (on.threshold) {
    const { saved_query, series, above, below } = on.threshold;
    const bound = above == null ? `below ${count(below)}` : `above ${count(above)}`;
    return `when the answer of saved question ${saved_query}${series ? ` (${series})` : ''} is ${bound}`;
  }
  if (!on.kinds) return 'of all problems';
  const kinds = on.kinds.map((kind) => kindName(kind).replace(/^\w/, (first) => first.toLowerCase()));
  return `when ${kinds.join(', or ')}${on.subject ? ` (only ${on.subject})` : ''}`;
}

export function AlertState({ alert }: { alert: Alert }) {
  if (!alert.enabled) return <Badge tone="warn">off{alert.disabled_reason && `: ${alert.disabled_reason}`}</Badge>;
  if (alert.silenced_until && Date.parse(alert.silenced_until) > clock.value) return <Badge>silenced</Badge>;
  if (alert.dead > 0) return <Badge tone="bad">{count(alert.dead)} not delivered</Badge>;
  return <Badge tone="good">on</Badge>;
}
