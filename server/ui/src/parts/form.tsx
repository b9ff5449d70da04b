import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';
import type { Refusal } from '../api/client';

type ButtonProps = Omit<JSX.IntrinsicElements['button'], 'type'> & {
  kind?: 'primary' | 'plain' | 'danger' | 'quiet';
  type?: 'button' | 'submit';
  busy?: boolean;
  children: ComponentChildren;
};

export function Button({ kind = 'plain', type = 'button', busy = false, children, ...rest }: ButtonProps) {
  return (
    <button {...rest} type={type} class={`button ${kind}`} disabled={rest.disabled || busy} aria-busy={busy}>
      {children}
    </button>
  );
}

interface FieldProps {
  label: string;
  /** Shows no label, but says it. */
  bare?: boolean;
  hint?: string;
  value: string;
  onValue: (value: string) => void;
  type?: 'text' | 'email' | 'password' | 'search' | 'number' | 'url' | 'date' | 'datetime-local';
  name?: string;
  placeholder?: string;
  autocomplete?: string;
  list?: string;
  required?: boolean;
  disabled?: boolean;
  minLength?: number;
  maxLength?: number;
  min?: number | string;
  max?: number | string;
  step?: number | string;
}

/** A labelled input. */
export function Field({ label, bare, hint, value, onValue, ...rest }: FieldProps) {
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
        onInput={(event) => onValue(event.currentTarget.value)}
      />
      {hint && (
        <small id={`${id}-hint`} class="muted">
          {hint}
        </small>
      )}
    </div>
  );
}

type Choice<T extends string> = readonly [value: T, name: string];

/** A labelled choice of few; `bare` shows no label, but says it. */
export function Select<T extends string>(props: {
  label: string;
  bare?: boolean;
  value: T;
  choices: readonly Choice<T>[];
  onValue: (value: T) => void;
  disabled?: boolean;
}) {
  const id = useId();
  return (
    <div class={props.bare ? 'field bare-field' : 'field'}>
      <label for={id} class={props.bare ? 'hidden' : undefined}>
        {props.label}
      </label>
      <select
        id={id}
        value={props.value}
        disabled={props.disabled ?? false}
        onChange={(event) => props.onValue(event.currentTarget.value as T)}
      >
        {props.choices.map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}

/** What the server refused, and what to do about it. */
export function Refused({ refusal, again }: { refusal: Refusal | undefined; again?: () => void }) {
  if (!refusal) return null;
  return (
    <div class="refused" role="alert">
      <strong>{refusal.detail}</strong>
      {refusal.hint && <span>{refusal.hint}</span>}
      {refusal.requestId && <small class="muted">Request {refusal.requestId}</small>}
      {again && (
        <Button kind="plain" onClick={again}>
          Try again
        </Button>
      )}
    </div>
  );
}
