import { Table } from '../parts/table';
import { type Opens, PeopleNumber } from './people';
import type { Sheet } from './sheet';

/** The table of an answer; every number opens its people. */
export function SheetTable({ sheet, label, opens }: { sheet: Sheet; label: string; opens: Opens }) {
  return (
    <Table
      label={label}
      columns={sheet.columns.map((column, at) => ({
        ...column,
        cell: (row: Sheet['rows'][number]) => {
          const cell = row[at];
          return cell ? (
            <PeopleNumber place={cell.place} opens={opens}>
              {cell.text}
            </PeopleNumber>
          ) : null;
        },
      }))}
      rows={sheet.rows}
      keyOf={(row) => sheet.rows.indexOf(row)}
    />
  );
}
