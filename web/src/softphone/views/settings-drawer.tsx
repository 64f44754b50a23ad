import type { JSX } from "preact";
import type { ViewProps } from "./props.ts";

/** What the parts of the page let a person set, each a section of its own. */
export function SettingsDrawer({ softphone, snapshot }: ViewProps): JSX.Element {
  return (
    <section id="settings" class="settings" data-testid="settings-drawer" aria-labelledby="settings-title">
      <h2 id="settings-title">Settings</h2>
      {softphone.places.show("settings", snapshot)}
      <button type="button" onClick={() => softphone.set({ settings: false })}>
        Close
      </button>
    </section>
  );
}
