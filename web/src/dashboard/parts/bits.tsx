import type { ComponentChildren, JSX } from "preact";
import { mosWords, type Told } from "../store/words.ts";

/** A state by colour and by word. */
export function Lamp({ text, tone }: Told): JSX.Element {
  return (
    <span class="lamp" data-tone={tone}>
      {text}
    </span>
  );
}

export function Mos({ value }: { readonly value: number | null | undefined }): JSX.Element {
  if (value === null || value === undefined) return <span class="dim">–</span>;
  const { text, tone } = mosWords(value);
  return (
    <span class="mos" data-tone={tone}>
      <b>{value.toFixed(2)}</b> {text}
    </span>
  );
}

const time = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const dayMs = 24 * 3600 * 1000;

/** Wall clock, with the day when it was long ago. */
export function At({ iso }: { readonly iso: string }): JSX.Element {
  const at = Date.parse(iso);
  const words = Number.isNaN(at) ? iso : time.format(at);
  return <time dateTime={iso}>{Date.now() - at > dayMs / 2 ? `${day.format(at)} ${words}` : words}</time>;
}

interface CardProps {
  readonly title: string;
  readonly children: ComponentChildren;
  readonly testId?: string;
  /** Beside the title. */
  readonly aside?: ComponentChildren;
}

export function Card({ title, children, testId, aside }: CardProps): JSX.Element {
  return (
    <section class="card" data-testid={testId} aria-label={title}>
      <header>
        <h2>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}

export function Direction({ of }: { readonly of: "to-agent" | "from-agent" }): JSX.Element {
  const inward = of === "to-agent";
  return (
    <span class="direction" data-inward={inward}>
      <span aria-hidden="true">{inward ? "↘" : "↗"}</span> {inward ? "to agent" : "from agent"}
    </span>
  );
}
