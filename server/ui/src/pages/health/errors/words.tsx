import { Badge, type Tone } from '../../../parts/badge';

const TONES: Record<string, Tone> = { new: 'warn', escalating: 'bad', regressed: 'bad', resolved: 'good' };

/** How an issue stands; `ongoing` is what needs no word in a list. */
export function State({ state }: { state: string }) {
  return <Badge tone={TONES[state] ?? 'plain'}>{state}</Badge>;
}

/** An issue in a line: `StateError: no card`. */
export const titleOf = (issue: { type: string; title: string }) =>
  issue.title === '' ? issue.type : issue.title.startsWith(issue.type) ? issue.title : `${issue.type}: ${issue.title}`;
