import type { JSX } from "preact";
import { AudioOnly } from "../embed/audio-only.tsx";
import type { Remembered } from "../phone/settings.ts";
import type { SoftphoneSnapshot } from "../snapshot.ts";
import { CallPanel } from "./call-panel.tsx";
import { Dialler } from "./dialler.tsx";
import { Header } from "./header.tsx";
import { Help } from "./help.tsx";
import { History } from "./history.tsx";
import { Log } from "./log.tsx";
import { OtherCalls } from "./other-calls.tsx";
import type { ViewProps } from "./props.ts";
import { SettingsDrawer } from "./settings-drawer.tsx";
import { SignIn } from "./sign-in.tsx";
import { Status } from "./status.tsx";
import { Tool } from "./tool.tsx";

/** The tab's title: who calls and what was missed, so that it is seen in the background. */
export function titleOf({
  dn,
  call,
  otherCalls,
  missed,
}: Pick<SoftphoneSnapshot, "dn" | "call" | "otherCalls" | "missed">): string {
  const rings = [call, ...otherCalls].find((one) => one?.phase === "ringing");
  if (rings !== undefined) return `☎ ${rings.peer} calls`;
  const title = dn === undefined ? "Jackfield" : `${dn} – Jackfield`;
  return missed > 0 ? `(${missed} missed) ${title}` : title;
}

function PhoneKeys(view: ViewProps): JSX.Element {
  const { call, ui } = view.snapshot;
  return (
    <>
      {call !== undefined && <Tool {...view} call={call} />}
      <div class="below" hidden={call !== undefined || ui.sheet === "settings"}>
        <Dialler {...view} />
      </div>
    </>
  );
}

/** The whole page. `first`: what the sign-in form begins with. */
export function App({
  softphone,
  snapshot,
  first,
}: ViewProps & { readonly first: () => Remembered }): JSX.Element {
  const { dn, call, ui, notices, registration } = snapshot;
  const signedIn = dn !== undefined;
  const view = { softphone, snapshot };
  return (
    <>
      <Header {...view} />
      <main
        id="app"
        data-testid="app"
        data-state={signedIn ? registration : "signed-out"}
        data-sheet={ui.sheet}
        data-tool={ui.tool}
      >
        <section class="panel phone" aria-label="Phone">
          <p class="alert" id="alert" data-testid="alert" role="alert" hidden={notices.alert === ""}>
            {notices.alert}
          </p>
          {!signedIn &&
            ui.sheet !== "settings" &&
            (softphone.places.has("signedOut") ? (
              softphone.places.show("signedOut", snapshot)
            ) : (
              <SignIn {...view} first={first} />
            ))}
          <div id="phone" hidden={!signedIn}>
            <Status {...snapshot} />
            {softphone.places.show("account", snapshot)}
            <CallPanel {...view} />
            <OtherCalls {...view} />
            {snapshot.audioOnly ? <AudioOnly call={call} /> : <PhoneKeys {...view} />}
          </div>
          {ui.sheet === "settings" && <SettingsDrawer {...view} />}
        </section>
        <aside class="panel side" aria-label="History">
          {signedIn && <History {...view} />}
          <Log log={notices.log} />
        </aside>
      </main>
      {ui.help && <Help close={() => softphone.set({ help: false })} />}
    </>
  );
}
