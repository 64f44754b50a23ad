import type { JSX } from "preact";
import type { Notice } from "../notices.ts";

/** What happened, newest first. */
export function Log({ log }: { readonly log: readonly Notice[] }): JSX.Element {
  return (
    <section aria-labelledby="log-title">
      <h2 id="log-title">What happened</h2>
      <ol id="log" data-testid="log">
        {log.map(({ at, text }) => (
          <li>
            <time dateTime={at.toISOString()}>{at.toLocaleTimeString([], { hour12: false })}</time>
            {text}
          </li>
        ))}
      </ol>
    </section>
  );
}
