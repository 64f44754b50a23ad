import type { JSX } from "preact";
import type { CallSnapshot } from "../phone/call-snapshot.ts";

function hint(call: CallSnapshot | undefined): string {
  if (call === undefined)
    return "Calls come and go by your desktop (Workspace). Leave this page open: it has the sound.";
  if (call.phase === "ringing") return "Answer in your desktop (Workspace). The sound comes here by itself.";
  return "Hold, transfer and end the call in your desktop (Workspace).";
}

/** In place of the keys, where calls are controlled elsewhere: what to do there. */
export function AudioOnly({ call }: { readonly call: CallSnapshot | undefined }): JSX.Element {
  return (
    <p class="hint" data-testid="audio-only">
      {hint(call)}
    </p>
  );
}
