import type { JSX } from "preact";
import { outcomeText, type PastCall } from "../phone/history.ts";
import { duration } from "../../shared/words.ts";
import { Icon, type IconName } from "./icons.tsx";
import type { ViewProps } from "./props.ts";

function iconOf({ direction, outcome }: PastCall): IconName {
  if (outcome === "missed") return "missed";
  return direction === "in" ? "incoming" : "outgoing";
}

const DIRECTIONS: Readonly<Record<string, string>> = {
  missed: "Missed call from",
  incoming: "Call from",
  outgoing: "Call to",
};

/** The calls of this tab that are over, newest first; each can be called again. */
export function History({ softphone, snapshot }: ViewProps): JSX.Element {
  const calls = snapshot.history;
  return (
    <section aria-labelledby="history-title" data-testid="history-list">
      <h2 id="history-title">History</h2>
      {calls.length === 0 && <p class="hint">Calls of this tab are listed here until it is closed.</p>}
      <ul class="history">
        {calls.map((call) => (
          <Entry key={`${call.id} ${call.at}`} call={call} again={() => softphone.use(call.number)} />
        ))}
      </ul>
    </section>
  );
}

interface EntryProps {
  readonly call: PastCall;
  readonly again: () => void;
}

function Entry({ call, again }: EntryProps): JSX.Element {
  const icon = iconOf(call);
  const began = new Date(call.at);
  const remark = outcomeText(call);
  return (
    <li data-outcome={call.outcome}>
      <Icon name={icon} />
      <div class="about">
        <p class="name">
          <span class="sr">{DIRECTIONS[icon]} </span>
          {call.peer}
        </p>
        <p class="small">
          <time dateTime={began.toISOString()}>
            {began.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false })}
          </time>
          {call.lastedMs > 0 && ` · ${duration(call.lastedMs)}`}
          {remark !== "" && ` · ${remark}`}
        </p>
      </div>
      <button
        type="button"
        class="again"
        aria-label={`Call ${call.number} again`}
        title="Call again"
        onClick={again}
      >
        <Icon name="answer" />
      </button>
    </li>
  );
}
