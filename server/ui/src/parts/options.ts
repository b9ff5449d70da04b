/** What a combobox offers. Pure. */
export interface Option {
  value: string;
  /** What is shown, if not the value. */
  name?: string;
  hint?: string;
}

/** Most options shown at once: more than anybody reads; typing finds the others. */
export const SHOWN = 60;

export const nameOf = (option: Option) => option.name ?? option.value;

/** The options that have the text in them: first those that begin with it. */
export function matching(options: readonly Option[], text: string): Option[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return options.slice(0, SHOWN);
  const found = options
    .map((option) => ({ option, at: nameOf(option).toLowerCase().indexOf(wanted) }))
    .filter(({ at }) => at >= 0);
  const first = found.filter(({ at }) => at === 0);
  return [...first, ...found.filter(({ at }) => at > 0)].slice(0, SHOWN).map(({ option }) => option);
}
