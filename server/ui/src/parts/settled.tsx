import { useId } from 'preact/hooks';

/** A labelled input whose value is taken when it is left, or with Enter: not at every letter. */
export function Settled(props: {
  label: string;
  bare?: boolean;
  hint?: string;
  value: string;
  onValue: (value: string) => void;
  type?: 'text' | 'number' | 'date' | 'datetime-local';
  placeholder?: string;
  min?: number | string;
  max?: number | string;
  maxLength?: number;
}) {
  const { label, bare, hint, value, onValue, ...rest } = props;
  const id = useId();
  return (
    <div class={bare ? 'field bare-field' : 'field'}>
      <label for={id} class={bare ? 'hidden' : undefined}>
        {label}
      </label>
      <input
        {...(rest as object)}
        id={id}
        value={value}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={(event) => onValue(event.currentTarget.value)}
      />
      {hint && (
        <small id={`${id}-hint`} class="muted">
          {hint}
        </small>
      )}
    </div>
  );
}
