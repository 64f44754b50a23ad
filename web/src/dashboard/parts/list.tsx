import type { ComponentChildren, JSX } from "preact";
import { useMemo } from "preact/hooks";
import { pressed, sorted, type Column, type Sort } from "../store/rows.ts";
import { narrowScreen, useMedia } from "./use-media.ts";
import { useVirtual } from "./use-virtual.ts";

export interface ListColumn<T> extends Column<T> {
  readonly label: string;
  /** Width as a track of a CSS grid. */
  readonly track: string;
  readonly cell: (row: T, now: number) => ComponentChildren;
  readonly number?: boolean;
  /** Also on a phone. */
  readonly narrow?: boolean;
}

interface ListProps<T> {
  readonly name: string;
  readonly testId: string;
  readonly rows: readonly T[];
  readonly columns: readonly ListColumn<T>[];
  readonly sort: Sort;
  readonly onSort: (sort: Sort) => void;
  readonly keyOf: (row: T) => string;
  readonly now: number;
  /** Said when there is no row. */
  readonly empty: ComponentChildren;
}

const rowHeight = 32;
const lineHeight = 22;

/** A sortable list of which only the rows in sight are drawn. On a phone each row takes a few lines of two cells. */
export function List<T>(props: ListProps<T>): JSX.Element {
  const { name, testId, rows, columns, sort, keyOf, now, empty } = props;
  const narrow = useMedia(narrowScreen);
  const shown = narrow ? columns.filter((column) => column.narrow) : columns;
  const ordered = useMemo(() => sorted(rows, columns, sort), [rows, columns, sort]);
  const height = narrow ? Math.ceil(shown.length / 2) * lineHeight + 14 : rowHeight;
  const keyAt = (index: number): string => {
    const row = ordered[index];
    return row === undefined ? String(index) : keyOf(row);
  };
  const { scroller, items, totalHeight } = useVirtual(ordered.length, height, keyAt);
  const tracks = narrow ? undefined : { gridTemplateColumns: shown.map(({ track }) => track).join(" ") };
  return (
    <div class="list" data-testid={testId} data-narrow={narrow}>
      {narrow && <SortChoice {...props} />}
      {/* A region that scrolls must be reachable by keyboard. */}
      <div class="list-scroll" ref={scroller} tabIndex={0} role="region" aria-label={`${name}, scrollable`}>
        <div role="table" aria-label={name} aria-rowcount={ordered.length + 1}>
          <div role="rowgroup" class="list-head">
            <div role="row" aria-rowindex={1} style={tracks}>
              {shown.map((column) => (
                <Head key={column.key} column={column} {...props} />
              ))}
            </div>
          </div>
          <div role="rowgroup" class="list-body" style={{ height: `${totalHeight}px` }}>
            {items.map(({ index, start, key }) => {
              const row = ordered[index];
              if (row === undefined) return null;
              const place = { ...tracks, height: `${height}px`, transform: `translateY(${start}px)` };
              return (
                <div role="row" class="list-row" key={key} aria-rowindex={index + 2} style={place}>
                  {shown.map((column) => (
                    <div role="cell" key={column.key} class={column.number ? "number" : undefined}>
                      {column.cell(row, now)}
                    </div>
                  ))}
                </div>
              );
            })}
          </div>
        </div>
        {ordered.length === 0 && <p class="empty">{empty}</p>}
      </div>
    </div>
  );
}

function Head<T>({ column, sort, onSort }: ListProps<T> & { column: ListColumn<T> }): JSX.Element {
  const chosen = sort.key === column.key;
  const order = sort.descending ? "descending" : "ascending";
  return (
    <div role="columnheader" aria-sort={chosen ? order : "none"} class={column.number ? "number" : undefined}>
      <button type="button" onClick={() => onSort(pressed(sort, column.key))}>
        {column.label}
        <span aria-hidden="true">{chosen ? (sort.descending ? " ▾" : " ▴") : ""}</span>
      </button>
    </div>
  );
}

function SortChoice<T>({ columns, sort, onSort, name }: ListProps<T>): JSX.Element {
  return (
    <div class="sort-choice">
      <label>
        <span class="sr">{name}: </span>Sort by{" "}
        <select
          value={sort.key}
          onChange={({ currentTarget }) => onSort({ ...sort, key: currentTarget.value })}
        >
          {columns.map(({ key, label }) => (
            <option key={key} value={key}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <button type="button" onClick={() => onSort({ ...sort, descending: !sort.descending })}>
        {sort.descending ? "Highest first" : "Lowest first"}
      </button>
    </div>
  );
}
