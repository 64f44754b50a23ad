import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { ViewProps } from "./props.ts";
import { Pad } from "./pad.tsx";

/** Number field and keypad: the keys write into the field, or send tones in a call. */
export function Dialler({ softphone, snapshot }: ViewProps): JSX.Element {
  const { call, registration, ui } = snapshot;
  const talking = call?.phase === "talking";
  useDigitKeys(talking, (digit) => softphone.act(softphone.control.sendDigits(digit)));

  function press(key: string): void {
    if (call === undefined) softphone.set({ number: ui.number + key });
    else softphone.act(softphone.control.sendDigits(key, call.callId));
  }

  return (
    <>
      <NumberField softphone={softphone} snapshot={snapshot} />
      <Pad hidden={call !== undefined && !(talking && ui.pad)} press={press} />
      <p class="sent" data-testid="sent" role="status" hidden={!talking || call.digits === ""}>
        {call !== undefined && call.digits !== "" ? `Sent: ${call.digits}` : ""}
      </p>
      <button
        type="submit"
        form="dial"
        class="go"
        id="dial-go"
        data-testid="dial-go"
        disabled={registration !== "registered"}
        hidden={call !== undefined}
      >
        Call
      </button>
    </>
  );
}

/** Digits typed anywhere in a call are tones. */
function useDigitKeys(talking: boolean, send: (digit: string) => void): void {
  useLayoutEffect(() => {
    if (!talking) return undefined;
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
      if (event.target instanceof HTMLInputElement) return;
      if (/^[0-9*#]$/.test(event.key)) send(event.key);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [talking]);
}

function NumberField({ softphone, snapshot: { call, ui } }: ViewProps): JSX.Element {
  const input = useRef<HTMLInputElement>(null);

  function submit(event: Event): void {
    event.preventDefault();
    if (ui.number.trim() !== "") softphone.dial(ui.number);
  }

  return (
    <form id="dial" data-testid="dial" hidden={call !== undefined} onSubmit={submit}>
      <label for="number" class="sr">
        Number to call
      </label>
      <input
        id="number"
        ref={input}
        data-testid="number"
        type="tel"
        autocomplete="off"
        placeholder="Number to call"
        maxlength={64}
        value={ui.number}
        onInput={(event) => softphone.set({ number: event.currentTarget.value })}
      />
      <button
        type="button"
        class="quiet"
        data-testid="erase"
        aria-label="Delete last digit"
        onClick={() => {
          softphone.set({ number: ui.number.slice(0, -1) });
          input.current?.focus();
        }}
      >
        ⌫
      </button>
    </form>
  );
}
