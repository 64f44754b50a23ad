import type { JSX } from "preact";
import type { SoftphoneSnapshot } from "../snapshot.ts";
import type { LinkState } from "./link.ts";
import type { SoundNow } from "./page-state.ts";
import { CLICK_FOR_SOUND, lineWords, soundWords } from "./words.ts";

interface CarriedProps {
  readonly link: LinkState;
  readonly sound: SoundNow;
  readonly blocked: boolean;
  readonly snapshot: SoftphoneSnapshot;
}

/** In place of the sign-in form, and above the calls: that Workspace has this page, and how that goes. */
export function Carried({ link, sound, blocked, snapshot }: CarriedProps): JSX.Element {
  const [tone, text] = lineWords(link, snapshot);
  const off = snapshot.dn === undefined ? [] : soundWords(sound);
  return (
    <section class="endpoint" aria-label="Workspace" key="endpoint">
      <p data-testid="endpoint" data-state={link.kind} data-tone={tone} role="status">
        {text}
      </p>
      {blocked && (
        <p data-testid="endpoint-blocked" data-tone="bad" role="alert">
          {CLICK_FOR_SOUND}
        </p>
      )}
      {off.length > 0 && (
        <p data-testid="endpoint-sound" data-tone="wait" role="status">
          {off.join(" ")}
        </p>
      )}
    </section>
  );
}
