import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Icon } from "./icons.tsx";
import { NumberField } from "./number-field.tsx";
import { Pad } from "./pad.tsx";
import type { ViewProps } from "./props.ts";

/** Number field, keypad and Call, for the first call and for one more. */
export function Dialler({ softphone, snapshot }: ViewProps): JSX.Element {
  const { call, registration, ui, numberFocus } = snapshot;
  const go = useRef<HTMLButtonElement>(null);
  // A link has filled the number in: Enter calls it, and nothing else does.
  useLayoutEffect(() => {
    if (ui.asked !== undefined) go.current?.focus();
  }, [ui.asked]);
  return (
    <>
      {ui.asked !== undefined && (
        <p class="asked" data-testid="asked" role="status">
          A link asks to call <b>{ui.asked}</b>. Press Call if you want to.{" "}
          <button
            type="button"
            class="number"
            onClick={() => softphone.set({ asked: undefined, number: "" })}
          >
            No
          </button>
        </p>
      )}
      <NumberField
        id="number"
        label="Number to call"
        value={ui.number}
        focus={call === undefined ? numberFocus : 1}
        typed={(number) => softphone.set({ number })}
        submit={() => softphone.dial(ui.number)}
      />
      <Pad press={(key) => softphone.set({ number: ui.number + key })} />
      <button
        type="submit"
        form="number-form"
        class="go wide"
        id="dial-go"
        ref={go}
        data-testid="dial-go"
        disabled={registration !== "registered"}
      >
        <Icon name="answer" />
        Call
      </button>
    </>
  );
}
