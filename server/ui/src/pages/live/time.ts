import { day } from '../../format';

const CLOCK = new Intl.DateTimeFormat('en', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});

/** `21:13:05`; with the day, if that is not today's. */
export function clockTime(at: string, now: Date = new Date()): string {
  const moment = new Date(at);
  const time = CLOCK.format(moment);
  return moment.toDateString() === now.toDateString() ? time : `${day(moment)}, ${time}`;
}
