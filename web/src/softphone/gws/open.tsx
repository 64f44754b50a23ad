import type { PhoneSnapshot } from "../phone/phone-snapshot.ts";
import type { Softphone } from "../softphone.ts";
import type { WorkspacePolicy } from "../workspace-policy.ts";
import { callUuidOf, GwsControl } from "./control.ts";
import { openEvents } from "./event-channel.ts";
import { GwsPanel, ScreenPop } from "./panel.tsx";
import { GwsHttp } from "./http.ts";
import { GwsSession, type After } from "./session.ts";
import type { GwsSettings } from "./settings.ts";
import "./gws.css";

/** Says that this tab was signed in at GWS, and whether it had begun the contact centre session; never a password. */
const KEPT = "jackfield.gws";

const after: After = (ms, act) => {
  const timer = setTimeout(act, ms);
  return () => clearTimeout(timer);
};

/** Puts GWS into the page: its panel, its data at the calls and, where configured, its control of them. */
export function openGws(softphone: Softphone, settings: GwsSettings, policy: WorkspacePolicy): void {
  const { phone, notices, places } = softphone;
  const session = new GwsSession(settings, { http: new GwsHttp(settings), openEvents, after });
  const kept = sessionStorage.getItem(KEPT);
  if (settings.callControl === "gws")
    softphone.control = new GwsControl(session, phone, (text, problem) => notices.tell(text, problem), after);
  places.put("account", () => (
    <GwsPanel
      session={session}
      snapshot={session.snapshot}
      setState={(operation) => softphone.act(session.setState(operation))}
    />
  ));
  places.put("quality", (call) => {
    const known = session.find(callUuidOf(call) ?? "");
    return known && <ScreenPop call={known} />;
  });
  session.onChange(() => {
    remember(session);
    softphone.changed();
  });
  policy.onHeadsetLost(() => softphone.act(session.headsetLost()));
  const follow = ({ dn, trunk }: PhoneSnapshot): void => session.line(dn, trunk.state === "in-service");
  phone.onChange(follow);
  follow(phone.snapshot);
  if (kept !== null) void session.resume(kept === "begun");
  softphone.changed();
}

function remember({ snapshot: { stage, begun } }: GwsSession): void {
  if (stage === "signing-in") return;
  if (stage === "signed-out") sessionStorage.removeItem(KEPT);
  else sessionStorage.setItem(KEPT, begun ? "begun" : "joined");
}
