import type { ComponentChildren } from 'preact';
import type { Place } from './sheet';

/** Shows the people of a place; where nobody may see them there is none. */
export type Opens = ((place: Place) => void) | undefined;

/** A number that opens its people. */
export function PeopleNumber(props: {
  place: Place | undefined;
  opens: Opens;
  class?: string;
  children: ComponentChildren;
}) {
  const { place, opens } = props;
  if (!place || !opens) return <span class={props.class}>{props.children}</span>;
  return (
    <button
      type="button"
      class={`people-link ${props.class ?? ''}`}
      title="Show these people"
      onClick={() => opens(place)}
    >
      {props.children}
    </button>
  );
}
