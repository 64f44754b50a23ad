import type { JSX } from "preact";
import type { Sheet } from "../snapshot.ts";
import { Icon, type IconName } from "./icons.tsx";
import type { ViewProps } from "./props.ts";

export function Header({ softphone, snapshot }: ViewProps): JSX.Element {
  const { dn, ui } = snapshot;
  const signedIn = dn !== undefined;
  const sheet = (name: Exclude<Sheet, "none">): (() => void) => {
    return () => softphone.set({ sheet: ui.sheet === name ? "none" : name });
  };
  return (
    <header class="bar">
      <img class="mark" src="./jackfield.svg" alt="" width="24" height="24" />
      <h1>Jackfield</h1>
      <span class="who" id="who" data-testid="who">
        {dn ?? ""}
      </span>
      {softphone.places.show("header", snapshot)}
      {signedIn && (
        <BarButton
          name="History"
          icon="history"
          narrow
          expanded={ui.sheet === "history"}
          press={sheet("history")}
        />
      )}
      <BarButton
        name="Settings"
        icon="settings"
        expanded={ui.sheet === "settings"}
        press={sheet("settings")}
      />
      <BarButton name="Keys" icon="help" keys="Alt+/" press={() => softphone.set({ help: true })} />
      {signedIn && <BarButton name="Sign out" icon="signOut" press={() => softphone.signOut()} />}
    </header>
  );
}

interface BarButtonProps {
  readonly name: string;
  readonly icon: IconName;
  readonly press: () => void;
  readonly expanded?: boolean;
  readonly keys?: string;
  /** Only where the page is too narrow to show it anyway. */
  readonly narrow?: boolean;
}

function BarButton({ name, icon, press, expanded, keys, narrow = false }: BarButtonProps): JSX.Element {
  return (
    <button
      type="button"
      class={narrow ? "tool narrow" : "tool"}
      data-testid={name.toLowerCase().replace(" ", "-")}
      title={keys === undefined ? name : `${name} (${keys})`}
      aria-label={name}
      aria-expanded={expanded}
      aria-keyshortcuts={keys}
      onClick={press}
    >
      <Icon name={icon} />
    </button>
  );
}
