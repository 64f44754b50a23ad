import type { JSX } from "preact";

/** With the letters of ITU-T E.161. */
const KEYS = [
  ["1", ""],
  ["2", "ABC"],
  ["3", "DEF"],
  ["4", "GHI"],
  ["5", "JKL"],
  ["6", "MNO"],
  ["7", "PQRS"],
  ["8", "TUV"],
  ["9", "WXYZ"],
  ["*", ""],
  ["0", "+"],
  ["#", ""],
] as const;
const NAMES: Readonly<Record<string, string>> = { "*": "star", "#": "hash" };

export function Pad({ press }: { readonly press: (key: string) => void }): JSX.Element {
  return (
    <div id="pad" class="keys pad" data-testid="pad" role="group" aria-label="Keypad">
      {KEYS.map(([key, letters]) => (
        <button
          type="button"
          key={key}
          data-letters={letters}
          data-testid={`key-${NAMES[key] ?? key}`}
          aria-label={NAMES[key] ?? key}
          onClick={() => press(key)}
        >
          {key}
        </button>
      ))}
    </div>
  );
}
