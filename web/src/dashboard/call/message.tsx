import type { JSX } from "preact";
import type { MessageEntry } from "../api/contract.ts";
import { traceTime } from "../store/words.ts";
import { sideWords } from "./layout.ts";

/** A message as it was on the wire, but for its secrets. */
export function Message({ entry, onClose }: { entry: MessageEntry; onClose: () => void }): JSX.Element {
  const far = sideWords(entry.side);
  const way = entry.direction === "in" ? `from ${far}` : `to ${far}`;
  return (
    <section class="card message" aria-label="Message" data-testid="message">
      <header>
        <h2>{entry.text}</h2>
        <button type="button" class="quiet" aria-label="Close the message" onClick={onClose}>
          ✕
        </button>
      </header>
      <p class="dim">
        {way}, {traceTime(entry.at_ms)}
        {entry.repeats > 0 &&
          `; ${entry.repeats === 1 ? "once" : `${entry.repeats} times`} more, last at ${traceTime(entry.last_repeat_ms ?? 0)}`}
      </p>
      {entry.sdp !== null && <p>SDP: {entry.sdp}</p>}
      {entry.sdp_change && <p>Changed: {entry.sdp_change}</p>}
      <pre tabIndex={0} role="region" aria-label="Text of the message, scrollable">
        {entry.message.replaceAll("\r\n", "\n")}
      </pre>
    </section>
  );
}
