import type { JSX } from "preact";
import type { Notice } from "../notices.ts";

/** What happened, newest first. */
export function Log({ log }: { readonly log: readonly Notice[] }): JSX.Element {
  return (
    <aside class="panel side" aria-label="What happened">
      <h2>What happened</h2>
      <ol id="log" data-testid="log">
        {log.map(({ at, text }) => (
          <li>
            <time dateTime={at.toISOString()}>{at.toLocaleTimeString([], { hour12: false })}</time>
            {text}
          </li>
        ))}
      </ol>
      <p class="hint">Enter calls the number. In a call, the digits, * and # of your keyboard send tones.</p>
    </aside>
  );
}
