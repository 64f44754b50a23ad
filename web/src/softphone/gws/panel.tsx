import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import type { GwsSession, GwsSnapshot } from "./session.ts";
import type { GwsCall } from "./messages.ts";

/** `AfterCallWork` as people read it; where GWS names the state, its name counts. */
export function stateName(operation: string): string {
  return operation.replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ");
}

interface PanelProps {
  readonly session: GwsSession;
  readonly snapshot: GwsSnapshot;
  /** What a person does there; what prevents it is told. */
  readonly setState: (operation: string) => void;
}

/** The agent at GWS: the sign-in, the agent state, what is wrong. */
export function GwsPanel(props: PanelProps): JSX.Element {
  const { session, snapshot } = props;
  const { stage, problem, live } = snapshot;
  return (
    <section class="gws" data-testid="gws" data-state={stage} data-live={live} aria-label="Genesys">
      {stage === "signed-out" || stage === "signing-in" ? (
        <SignIn session={session} busy={stage === "signing-in"} />
      ) : (
        <Agent {...props} />
      )}
      <p class="gws-problem" data-testid="gws-problem" role="status" hidden={problem === ""}>
        {problem}
      </p>
    </section>
  );
}

/** What is typed stays in the form; the password is emptied as soon as it is sent. */
function SignIn({ session, busy }: { readonly session: GwsSession; readonly busy: boolean }): JSX.Element {
  const user = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);
  function submit(event: Event): void {
    event.preventDefault();
    if (user.current === null || password.current === null) return;
    const basic = { user: user.current.value.trim(), password: password.current.value };
    password.current.value = "";
    void session.signIn(basic);
  }
  return (
    <form class="gws-sign-in" data-testid="gws-sign-in" onSubmit={submit}>
      <div>
        <label for="gws-user">Genesys user name</label>
        <input
          id="gws-user"
          ref={user}
          autocomplete="section-gws username"
          spellcheck={false}
          defaultValue={session.snapshot.userName}
          required
        />
      </div>
      <div>
        <label for="gws-password">Genesys password</label>
        <input
          id="gws-password"
          ref={password}
          type="password"
          autocomplete="section-gws current-password"
          required
        />
      </div>
      <button type="submit" disabled={busy}>
        {busy ? "Signing in…" : "Sign in at Genesys"}
      </button>
    </form>
  );
}

function Agent({ session, snapshot, setState }: PanelProps): JSX.Element {
  const { stage, live, device, userName } = snapshot;
  return (
    <>
      <p class="gws-agent">
        <b>{userName === "" ? "Genesys" : userName}</b>{" "}
        <span data-testid="gws-state" data-state={device?.state ?? ""}>
          {agentText(snapshot)}
        </span>
      </p>
      {stage === "active" && (
        <div class="gws-states" role="group" aria-label="Agent state">
          {session.settings.states.map((operation) => (
            <button
              key={operation}
              type="button"
              data-testid={`gws-set-${operation}`}
              aria-pressed={device?.state === operation}
              onClick={() => setState(operation)}
            >
              {stateName(operation)}
            </button>
          ))}
        </div>
      )}
      {stage === "waiting" && snapshot.problem !== "" && (
        <button type="button" onClick={() => session.start()}>
          Try again
        </button>
      )}
      {stage === "active" && !live && (
        <p class="gws-problem" data-testid="gws-silent">
          No news from GWS, trying again by itself. Calls go on.
        </p>
      )}
      {stage !== "active" && (
        <button type="button" class="quiet" onClick={() => session.signOut()}>
          Leave Genesys
        </button>
      )}
    </>
  );
}

function agentText({ stage, device }: GwsSnapshot): string {
  if (stage === "starting") return "starting the session…";
  if (stage === "waiting") return "waiting for the line at SIP Server";
  return device === undefined || device.state === "" ? "state not known" : device.stateName;
}

/** What GWS tells of the call that is shown, as text. */
export function ScreenPop({ call }: { readonly call: GwsCall }): JSX.Element {
  const { callType, participants, dnis, userData } = call;
  const rows = [
    { label: "Call type", value: callType },
    { label: "With", value: participants.join(", ") },
    { label: "Dialled number", value: dnis },
  ].filter(({ value }) => value !== "");
  return (
    <dl class="gws-data" data-testid="gws-data" data-state={call.state} aria-label="Data from Genesys">
      {[...rows, ...userData].map(({ label, value }, at) => (
        <div key={at}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
