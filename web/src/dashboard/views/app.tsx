import type { JSX } from "preact";
import { Notices, Question } from "../parts/dialogs.tsx";
import type { Dashboard, DashboardState } from "../store/dashboard.ts";
import { AgentsView } from "./agents-view.tsx";
import { Bar } from "./bar.tsx";
import { CallView } from "./call-view.tsx";
import { CallsView } from "./calls-view.tsx";
import { LoginAgain, LoginPage, Off, Unreachable } from "./login.tsx";
import { LogView } from "./log-view.tsx";
import { NowView } from "./now-view.tsx";
import { PastView } from "./past-view.tsx";
import type { ViewProps } from "./props.ts";

export interface AppProps {
  readonly dashboard: Dashboard;
  readonly state: DashboardState;
  readonly now: number;
}

export function App({ dashboard, state, now }: AppProps): JSX.Element {
  const { session } = state;
  if (session.kind === "checking")
    return (
      <main class="alone">
        <p role="status">Asking Jackfield…</p>
      </main>
    );
  if (session.kind === "off") return <Off />;
  if (session.kind === "unreachable")
    return <Unreachable error={session.error} onRetry={() => void dashboard.start()} />;
  if (session.kind === "signed-out" && !session.expired)
    return <LoginPage session={session} dashboard={dashboard} />;
  const operates = session.kind === "signed-in" && session.me.role === "operate";
  const props = { dashboard, state, now, operates };
  return (
    <>
      <Bar {...props} />
      <main data-testid="view" data-view={state.view.kind}>
        <Shown {...props} />
      </main>
      <Notices list={state.notices} onDismiss={(id) => dashboard.dismiss(id)} />
      {state.asking && <Question act={state.asking} onAnswer={(yes) => dashboard.answer(yes)} />}
      {session.kind === "signed-out" && <LoginAgain session={session} dashboard={dashboard} />}
    </>
  );
}

function Shown(props: ViewProps): JSX.Element {
  const { view } = props.state;
  if (view.kind === "call") return <CallView {...props} key={view.id} id={view.id} />;
  const Chosen = views[view.kind];
  return <Chosen {...props} />;
}

const views = { now: NowView, calls: CallsView, agents: AgentsView, past: PastView, log: LogView };
