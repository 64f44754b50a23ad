import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { LinkState } from "../api/live-link.ts";
import { matching } from "../store/rows.ts";
import type { View } from "../store/view.ts";
import type { ViewProps } from "./props.ts";
import { agentTexts } from "./agents-view.tsx";
import { callTexts } from "./calls-view.tsx";

/** The head of the page: whether it is live, the search box, who is logged in, and the ways to the views. */
export function Bar({ dashboard, state, now }: ViewProps): JSX.Element {
  const { session, live, term, past, view } = state;
  const count = (all: number, found: number): string =>
    term.trim() === "" ? `${all}` : `${found} of ${all}`;
  const calls = count(live.calls.size, matching(live.calls.values(), term, callTexts).length);
  const agents = count(live.agents.size, matching(live.agents.values(), term, agentTexts).length);
  const found = view.kind === "past" && !past.loading ? past.calls.length : undefined;
  return (
    <header class="bar">
      <div class="bar-line">
        <img src="../jackfield.svg" alt="" width="24" height="24" />
        <h1>Jackfield</h1>
        <Link state={state.link} now={now - state.clockAhead} />
        <Search
          term={term}
          onTerm={(next) => {
            // The overview has nothing to filter.
            if (view.kind === "now" || view.kind === "log" || view.kind === "call") location.hash = "past";
            dashboard.lookFor(next);
          }}
        />
        {session.kind === "signed-in" && (
          <div class="who">
            <span data-testid="who">
              {session.me.name} <small>{session.me.role === "operate" ? "may operate" : "may read"}</small>
            </span>
            <button type="button" class="quiet" onClick={() => void dashboard.logOut()}>
              Log out
            </button>
          </div>
        )}
      </div>
      <nav aria-label="Views">
        <Tab view={view} to="now">
          Now
        </Tab>
        <Tab view={view} to="calls">
          Calls <small>{calls}</small>
        </Tab>
        <Tab view={view} to="agents">
          Agents <small>{agents}</small>
        </Tab>
        <Tab view={view} to="past">
          Past calls {found !== undefined && <small>{found}</small>}
        </Tab>
        <Tab view={view} to="log">
          Log
        </Tab>
      </nav>
    </header>
  );
}

function Tab(props: { view: View; to: View["kind"]; children: ComponentChildren }): JSX.Element {
  const here = props.view.kind === props.to;
  return (
    <a href={`#${props.to}`} aria-current={here ? "page" : undefined}>
      {props.children}
    </a>
  );
}

function Search({ term, onTerm }: { term: string; onTerm: (term: string) => void }): JSX.Element {
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const slash = (event: KeyboardEvent): void => {
      const typing = event.target instanceof HTMLElement && event.target.matches("input, select, textarea");
      if (event.key !== "/" || typing || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      box.current?.focus();
    };
    addEventListener("keydown", slash);
    return () => removeEventListener("keydown", slash);
  }, []);
  return (
    <search class="search">
      <input
        ref={box}
        type="search"
        data-testid="search"
        aria-label="Search calls and agents by DN, number, Call-ID or CallUUID"
        placeholder="DN, number, Call-ID, CallUUID  ( / )"
        spellcheck={false}
        value={term}
        maxLength={200}
        onInput={({ currentTarget }) => onTerm(currentTarget.value)}
      />
    </search>
  );
}

function Link({ state, now }: { state: LinkState; now: number }): JSX.Element {
  return (
    <span class="link" data-state={state.kind} data-testid="link" role="status">
      {linkWords(state, now)}
    </span>
  );
}

function linkWords(state: LinkState, now: number): string {
  if (state.kind === "live") return "Live";
  if (state.kind === "connecting") return "Connecting…";
  const seconds = Math.ceil((state.retryAt - now) / 1000);
  return seconds > 0 ? `Not live: no connection. Next try in ${seconds} s` : "Not live: connecting again…";
}
