import { download } from '../parts/copy';
import { Table } from '../parts/table';
import { type Opens, PeopleNumber } from './people';
import { fileName, type Sheet, sheetCsv, sheetOf } from './sheet';
import type { Answered } from './words';

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

/** Gives the table of an answer to the browser as a file. */
export const saveSheet = (answer: Answered, name: string) =>
  download(`${fileName(`${name} ${answer.meta.date_to?.slice(0, 10) ?? ''}`)}.csv`, sheetCsv(sheetOf(answer)));
