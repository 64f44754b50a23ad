import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { SoftphoneSnapshot } from "../snapshot.ts";
import { connectionWords, type ConnectionWords } from "./connection.ts";
import type { QualityWatch } from "./quality-watch.ts";

interface Props {
  readonly watch: QualityWatch;
  readonly snapshot: SoftphoneSnapshot;
}

/** The connection as it is now, in words. */
export function wordsOf(watch: QualityWatch, snapshot: SoftphoneSnapshot): ConnectionWords {
  const { dn, socket, registration, trunk, call, retryAt } = snapshot;
  const retryS = retryAt === undefined ? undefined : Math.max(1, Math.ceil((retryAt - Date.now()) / 1000));
  const { path, route } = watch;
  return connectionWords({
    dn,
    socket,
    registration,
    trunk,
    path,
    route,
    inCall: call?.phase === "talking",
    retryS,
  });
}

/** One sentence in the bar at the top; behind it each part, and what the page does about it. */
export function ConnectionView({ watch, snapshot }: Props): JSX.Element | null {
  const [, redraw] = useState(0);
  const { dn, retryAt, call } = snapshot;
  const details = useRef<HTMLDetailsElement>(null);
  // It lies over the phone: a call that comes must not find its keys under it.
  useEffect(() => close(details.current), [call?.callId]);
  useEffect(() => {
    const elsewhere = (event: Event): void => {
      const inside = event.target instanceof Node && details.current?.contains(event.target);
      if (event instanceof KeyboardEvent ? event.key === "Escape" : !inside) close(details.current);
    };
    addEventListener("pointerdown", elsewhere);
    addEventListener("keydown", elsewhere);
    return () => {
      removeEventListener("pointerdown", elsewhere);
      removeEventListener("keydown", elsewhere);
    };
  }, []);
  useEffect(() => watch.onChange(() => redraw((count) => count + 1)), [watch]);
  useEffect(() => {
    if (retryAt === undefined) return undefined;
    const ticking = setInterval(() => redraw((count) => count + 1), 1000);
    return () => clearInterval(ticking);
  }, [retryAt]);
  if (dn === undefined) return null;
  const { tone, sentence, parts } = wordsOf(watch, snapshot);
  return (
    <details ref={details} class="connection" data-testid="connection" data-tone={tone}>
      <summary aria-label={`Connection: ${sentence}`}>
        <span data-testid="connection-sentence">{sentence}</span>
      </summary>
      <dl>
        {parts.map(({ name, tone: how, text }) => (
          <div key={name} data-tone={how}>
            <dt>{name}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function close(details: HTMLDetailsElement | null): void {
  if (details !== null) details.open = false;
}
