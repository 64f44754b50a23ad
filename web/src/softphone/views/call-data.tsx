import type { JSX } from "preact";
import type { CallerDatum } from "../phone/caller-data.ts";
import { withNumbers } from "../phone/numbers.ts";

interface CallDataProps {
  readonly data: readonly CallerDatum[];
  readonly use: (number: string) => void;
}

/** What the network says of the call; numbers in it can be called by a click. Text, never markup. */
export function CallData({ data, use }: CallDataProps): JSX.Element {
  return (
    <dl
      id="call-data"
      data-testid="call-data"
      tabIndex={data.length > 4 ? 0 : undefined}
      aria-label="Call data"
    >
      {data.map(({ label, value }, at) => (
        <div key={at}>
          <dt>{label}</dt>
          <dd>
            {withNumbers(value).map(({ text, number }) =>
              number === undefined ? (
                text
              ) : (
                <button type="button" class="number" title={`Call ${number}`} onClick={() => use(number)}>
                  {text}
                </button>
              ),
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}
