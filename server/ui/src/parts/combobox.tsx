import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { matching, nameOf, type Option } from './options';

/**
 * A choice of many, found by typing. Arrows move, Enter takes, Escape gives up. With `free`, what was typed may be taken
 * though it is not in the list.
 */
export function Combobox(props: {
  label: string;
  bare?: boolean;
  value: string;
  options: readonly Option[];
  onPick: (value: string) => void;
  free?: boolean;
  placeholder?: string;
}) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState<string>();
  const [active, setActive] = useState(0);
  const known = props.options.find((option) => option.value === props.value);
  const shown = known ? nameOf(known) : props.value;
  const found = matching(props.options, typed ?? '');
  const text = typed?.trim() ?? '';
  const asTyped = props.free && text !== '' && !found.some((option) => nameOf(option) === text);
  const offered: Option[] = asTyped ? [...found, { value: text, name: `Use “${text}”` }] : found;

  useEffect(() => {
    list.current?.children[active]?.scrollIntoView({ block: 'nearest' });
  }, [active]);

  const show = () => {
    setOpen(true);
    const at = offered.findIndex((option) => option.value === props.value);
    setActive(Math.max(0, at));
  };
  const close = () => {
    setOpen(false);
    setTyped(undefined);
  };
  const take = (option: Option | undefined) => {
    close();
    if (option && option.value !== props.value) props.onPick(option.value);
  };
  const moved: Record<string, number> = {
    ArrowDown: open ? active + 1 : active,
    ArrowUp: active - 1,
    PageDown: active + 10,
    PageUp: active - 10,
  };
  const press = (event: KeyboardEvent) => {
    const next = moved[event.key];
    if (next !== undefined) {
      event.preventDefault();
      if (!open) show();
      else setActive(Math.max(0, Math.min(offered.length - 1, next)));
    } else if (event.key === 'Enter' && open) {
      event.preventDefault();
      take(offered[active]);
    } else if (event.key === 'Escape' && open) {
      // Else the dialog around it would close, too.
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  };
  return (
    <div class={props.bare ? 'field bare-field combobox' : 'field combobox'}>
      <label for={id} class={props.bare ? 'hidden' : undefined}>
        {props.label}
      </label>
      <input
        id={id}
        type="text"
        role="combobox"
        autocomplete="off"
        spellcheck={false}
        aria-autocomplete="list"
        aria-expanded={open}
        aria-controls={`${id}-list`}
        aria-activedescendant={open && offered.length > 0 ? `${id}-${active}` : undefined}
        placeholder={props.placeholder}
        value={typed ?? shown}
        onFocus={(event) => event.currentTarget.select()}
        onClick={show}
        onInput={(event) => {
          setTyped(event.currentTarget.value);
          setActive(0);
          setOpen(true);
        }}
        onKeyDown={press}
        onBlur={close}
      />
      <div id={`${id}-list`} ref={list} role="listbox" aria-label={props.label} hidden={!open}>
        {offered.map((option, at) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the input's, which keeps the focus.
          // biome-ignore lint/a11y/useFocusableInteractive: as above.
          <div
            key={option.value}
            id={`${id}-${at}`}
            role="option"
            aria-selected={at === active}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => take(option)}
          >
            <span>{nameOf(option)}</span>
            {option.hint && <small>{option.hint}</small>}
          </div>
        ))}
        {open && offered.length === 0 && <p class="muted">Nothing of this name</p>}
      </div>
    </div>
  );
}
