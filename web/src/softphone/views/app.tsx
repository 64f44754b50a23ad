import type { JSX } from "preact";
import type { Remembered } from "../phone/settings.ts";
import type { SoftphoneSnapshot } from "../snapshot.ts";
import { CallPanel } from "./call-panel.tsx";
import { Dialler } from "./dialler.tsx";
import { Header } from "./header.tsx";
import { Log } from "./log.tsx";
import { OtherCalls } from "./other-calls.tsx";
import type { ViewProps } from "./props.ts";
import { SettingsDrawer } from "./settings-drawer.tsx";
import { SignIn } from "./sign-in.tsx";
import { Status } from "./status.tsx";

/** The tab's title: who calls, so that it is seen in the background. */
export function titleOf({ dn, call }: Pick<SoftphoneSnapshot, "dn" | "call">): string {
  if (call?.phase === "ringing") return `☎ ${call.peer} calls`;
  return dn === undefined ? "Jackfield" : `${dn} – Jackfield`;
}

/** The whole page. `first`: what the sign-in form begins with. */
export function App({
  softphone,
  snapshot,
  first,
}: ViewProps & { readonly first: () => Remembered }): JSX.Element {
  const signedIn = snapshot.dn !== undefined;
  const { alert, log } = snapshot.notices;
  return (
    <>
      <Header softphone={softphone} snapshot={snapshot} />
      <main id="app" data-testid="app" data-state={signedIn ? snapshot.registration : "signed-out"}>
        <section class="panel" aria-label="Phone">
          <p class="alert" id="alert" data-testid="alert" role="alert" hidden={alert === ""}>
            {alert}
          </p>
          {!signedIn && <SignIn softphone={softphone} snapshot={snapshot} first={first} />}
          {snapshot.ui.settings && <SettingsDrawer softphone={softphone} snapshot={snapshot} />}
          <div id="phone" hidden={!signedIn}>
            <Status {...snapshot} />
            {softphone.places.show("account", snapshot)}
            <CallPanel softphone={softphone} snapshot={snapshot} />
            <OtherCalls softphone={softphone} snapshot={snapshot} />
            <Dialler softphone={softphone} snapshot={snapshot} />
          </div>
        </section>
        <Log log={log} />
      </main>
    </>
  );
}
