/** One column of a list as far as sorting and searching go. */
export interface Column<T> {
  readonly key: string;
  /** What the rows are sorted by; null comes last either way. */
  readonly value: (row: T) => string | number | null;
}

export interface Sort {
  readonly key: string;
  readonly descending: boolean;
}

/** Rows that hold `term` in one of their `texts`, any case; all of them without a term. */
export function matching<T>(
  rows: Iterable<T>,
  term: string,
  texts: (row: T) => readonly (string | null)[],
): readonly T[] {
  const wanted = term.trim().toLowerCase();
  if (wanted === "") return [...rows];
  const found: T[] = [];
  for (const row of rows)
    if (texts(row).some((text) => text?.toLowerCase().includes(wanted))) found.push(row);
  return found;
}

const collator = new Intl.Collator("en", { numeric: true });

/** A sorted copy; rows of equal value keep their order. */
export function sorted<T>(rows: readonly T[], columns: readonly Column<T>[], sort: Sort): readonly T[] {
  const column = columns.find(({ key }) => key === sort.key);
  if (!column) return rows;
  const way = sort.descending ? -1 : 1;
  const keyed = rows.map((row) => ({ row, value: keyOf(column.value(row)) }));
  keyed.sort((one, other) => {
    if (one.value === null || other.value === null)
      return Number(one.value === null) - Number(other.value === null);
    return way * compare(one.value, other.value);
  });
  return keyed.map(({ row }) => row);
}

/** Most texts are numbers in digits, and comparing numbers costs a hundredth. */
function keyOf(value: string | number | null): string | number | null {
  return typeof value === "string" && /^[1-9]\d{0,14}$/.test(value) ? Number(value) : value;
}

function compare(one: string | number, other: string | number): number {
  if (one === other) return 0;
  if (typeof one === "number" && typeof other === "number") return one - other;
  return collator.compare(String(one), String(other));
}

/** Next sort when the head of a column is pressed. */
export function pressed(sort: Sort, key: string): Sort {
  return sort.key === key ? { key, descending: !sort.descending } : { key, descending: false };
}
