import type { Schema } from '../../../api/types';
import { bars, spoken } from './uptime';

/** Ninety days, a bar each. */
export function Bars({ days }: { days: readonly Schema<'UptimeBar'>[] }) {
  return (
    <svg class="bars" viewBox={`0 0 ${days.length} 24`} preserveAspectRatio="none" role="img" aria-label={spoken(days)}>
      {bars(days).map((bar, at) => (
        <rect key={bar.at} class={bar.how} x={at + 0.12} y={0} width={0.76} height={24}>
          <title>{bar.text}</title>
        </rect>
      ))}
    </svg>
  );
}
