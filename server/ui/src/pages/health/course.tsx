import type { Schema } from '../../api/types';
import { count, utcDay } from '../../format';
import { AsTable } from '../../parts/as-table';
import { Strip } from '../../parts/strip';

const TIME = new Intl.DateTimeFormat('en', { month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' });

/** When each step of a course began. */
export function steps(course: Schema<'IssueCourse'>): string[] {
  const from = Date.parse(course.from);
  return course.counts.map((_, at) => new Date(from + at * course.step_minutes * 60_000).toISOString());
}

/** How often something happened over time, as bars. */
export function Course({ span, course }: { span: string; course: Schema<'IssueCourse'> }) {
  const times = steps(course);
  const isDays = course.step_minutes >= 1440;
  const said = (at: string | undefined) => (at ? (isDays ? utcDay(at) : TIME.format(new Date(at))) : '');
  const sum = course.counts.reduce((sum, one) => sum + one, 0);
  const name = `${sum === 1 ? 'event' : 'events'} in ${span}`;
  return (
    <figure class="course">
      <figcaption>
        <strong>{count(sum)}</strong> <span class="muted">{name}</span>
      </figcaption>
      <Strip kind="bars" values={course.counts} label={`${count(sum)} ${name}`} />
      <div class="course-axis muted" aria-hidden="true">
        <span>{said(times[0])}</span>
        <span>{isDays ? 'today' : 'now'}</span>
      </div>
      <AsTable
        label={name}
        rows={() => times.map((_, at) => times.length - 1 - at)}
        keyOf={(at) => at}
        columns={[
          { name: isDays ? 'Day' : 'From', cell: (at) => said(times[at]) },
          { name: 'Events', number: true, cell: (at) => count(course.counts[at]) },
        ]}
      />
    </figure>
  );
}
