import type { JSX } from "preact";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"] as const;
const NAMES: Readonly<Record<string, string>> = { "*": "star", "#": "hash" };

interface PadProps {
  readonly hidden: boolean;
  readonly press: (key: string) => void;
}

export function Pad({ hidden, press }: PadProps): JSX.Element {
  return (
    <div id="pad" class="keys pad" data-testid="pad" role="group" aria-label="Keypad" hidden={hidden}>
      {KEYS.map((key) => (
        <button
          type="button"
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
