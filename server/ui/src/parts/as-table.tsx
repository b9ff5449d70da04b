import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { type Column, Table } from './table';

/** The numbers of a picture, for who wants them exactly, or cannot see it. */
export function AsTable<Row>(props: {
  label: string;
  columns: readonly Column<Row>[];
  /** Made only when the table is asked for. */
  rows: () => readonly Row[];
  keyOf: (row: Row) => string | number;
  /** What is said before the button. */
  children?: ComponentChildren;
}) {
  const [isShown, setIsShown] = useState(false);
  return (
    <>
      <p class="as-table muted">
        {props.children}{' '}
        <button type="button" class="link" aria-expanded={isShown} onClick={() => setIsShown(!isShown)}>
          {isShown ? 'Hide the table' : 'Show as a table'}
        </button>
      </p>
      {isShown && <Table label={props.label} columns={props.columns} rows={props.rows()} keyOf={props.keyOf} />}
    </>
  );
}
