import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { duration } from "../../shared/words.ts";

/** How long the call has lasted. @param since when it was answered, ms since the epoch */
export function Timer({ since }: { readonly since: number | undefined }): JSX.Element {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (since === undefined) return undefined;
    const ticking = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(ticking);
  }, [since]);
  return (
    <p class="timer" data-testid="call-timer" role="timer" aria-live="off">
      {since === undefined ? "" : duration(now - since)}
    </p>
  );
}
