import type { JSX } from "preact";
import type { ViewProps } from "./props.ts";

export function Header({ softphone, snapshot }: ViewProps): JSX.Element {
  const { dn, ui } = snapshot;
  return (
    <header class="bar">
      <img class="mark" src="./jackfield.svg" alt="" width="24" height="24" />
      <h1>Jackfield</h1>
      <span class="who" id="who" data-testid="who">
        {dn ?? ""}
      </span>
      {softphone.places.show("header", snapshot)}
      {softphone.places.has("settings") && (
        <button
          type="button"
          class="quiet"
          data-testid="settings"
          aria-expanded={ui.settings}
          aria-controls="settings"
          onClick={() => softphone.set({ settings: !ui.settings })}
        >
          Settings
        </button>
      )}
      {dn !== undefined && (
        <button
          type="button"
          class="quiet"
          id="sign-out"
          data-testid="sign-out"
          onClick={() => softphone.signOut()}
        >
          Sign out
        </button>
      )}
    </header>
  );
}
