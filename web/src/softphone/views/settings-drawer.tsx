import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { ViewProps } from "./props.ts";
import { TelLinks } from "./tel-links.tsx";

/** What the parts of the page let a person set, each a section of its own. */
export function SettingsDrawer({ softphone, snapshot }: ViewProps): JSX.Element {
  const title = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => title.current?.focus(), []);
  return (
    <section id="settings" class="settings" data-testid="settings-drawer" aria-labelledby="settings-title">
      <h2 id="settings-title" ref={title} tabIndex={-1}>
        Settings
      </h2>
      {softphone.places.show("settings", snapshot)}
      <TelLinks tell={(text, problem) => softphone.notices.tell(text, problem)} />
      <button type="button" class="wide" onClick={() => softphone.set({ sheet: "none" })}>
        Close settings
      </button>
    </section>
  );
}
