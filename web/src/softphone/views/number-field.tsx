import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Icon } from "./icons.tsx";

interface NumberFieldProps {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  /** The cursor goes there when this changes, and at once when it is not 0. */
  readonly focus: number;
  readonly typed: (number: string) => void;
  readonly submit: () => void;
}

/** A number to be typed, with Enter to submit it. */
export function NumberField({ id, label, value, focus, typed, submit }: NumberFieldProps): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    if (focus === 0) return;
    input.current?.focus();
    input.current?.select();
  }, [focus]);
  return (
    <form
      id={`${id}-form`}
      class="number-field"
      data-testid={`${id}-form`}
      onSubmit={(event) => {
        event.preventDefault();
        if (value.trim() !== "") submit();
      }}
    >
      <label for={id} class="sr">
        {label}
      </label>
      <input
        id={id}
        ref={input}
        data-testid={id}
        type="tel"
        autocomplete="off"
        placeholder={label}
        maxlength={64}
        value={value}
        onInput={(event) => typed(event.currentTarget.value)}
      />
      <button
        type="button"
        class="quiet"
        data-testid={`${id}-erase`}
        aria-label="Delete last digit"
        hidden={value === ""}
        onClick={() => {
          typed(value.slice(0, -1));
          input.current?.focus();
        }}
      >
        <Icon name="erase" />
      </button>
    </form>
  );
}
