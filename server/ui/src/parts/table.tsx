import type { ComponentChildren } from 'preact';

export interface Column<Row> {
  name: string;
  /** Numbers stand at the right. */
  number?: boolean;
  cell: (row: Row) => ComponentChildren;
}

/** Rows and columns. On a phone it scrolls in itself, not the page. */
export function Table<Row>(props: {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string | number;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section class="table" aria-label={props.label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {props.columns.map((column) => (
              <th key={column.name} scope="col" class={column.number ? 'number' : undefined}>
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.rows.map((row) => (
            <tr key={props.keyOf(row)}>
              {props.columns.map((column) => (
                <td key={column.name} class={column.number ? 'number' : undefined}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** The rest of a list. */
export function More({ more, loading }: { more: (() => void) | undefined; loading: boolean }) {
  if (!more) return null;
  return (
    <p class="more">
      <button type="button" class="button plain" disabled={loading} onClick={more}>
        {loading ? 'Loading…' : 'Show more'}
      </button>
    </p>
  );
}
