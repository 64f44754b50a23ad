import type { ComponentChildren, JSX } from "preact";

interface TableProps {
  /** Of the columns; figures stand to the right. */
  readonly heads: readonly { readonly text: string; readonly class?: "number" | "wide" }[];
  /** Its rows. */
  readonly children: ComponentChildren;
}

/** A short table of a card. */
export function Table({ heads, children }: TableProps): JSX.Element {
  return (
    <table>
      <thead>
        <tr>
          {heads.map(({ text, class: kind }) => (
            <th key={text} scope="col" class={kind}>
              {text}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  );
}

/** A table that is scrolled sideways where it has no room. @param name of it, for who does not see it */
export function WideTable({ name, ...table }: TableProps & { readonly name: string }): JSX.Element {
  return (
    <div class="scroll-x" tabIndex={0} role="region" aria-label={`${name}, scrollable`}>
      <Table {...table} />
    </div>
  );
}
