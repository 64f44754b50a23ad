import type { JSX } from "preact";
import type { CallSnapshot } from "../phone/call-snapshot.ts";
import { Icon } from "./icons.tsx";
import { phaseText } from "./phase.ts";
import type { ViewProps } from "./props.ts";

/** The calls beside the one that is shown large, each with a button that goes over to it; a ringing one can be rejected. */
export function OtherCalls({ softphone, snapshot }: ViewProps): JSX.Element {
  const calls = snapshot.otherCalls.toSorted((a, b) => a.line - b.line);
  return (
    <ul id="other-calls" data-testid="other-calls" aria-label="Other calls" hidden={calls.length === 0}>
      {calls.map((call) => (
        <OtherCall
          key={call.callId}
          call={call}
          keys={!snapshot.audioOnly}
          over={() => softphone.switchTo(call.callId)}
          reject={() => softphone.act(softphone.control.reject(call.callId))}
        />
      ))}
    </ul>
  );
}

interface OtherCallProps {
  readonly call: CallSnapshot;
  /** Whether calls are controlled here. */
  readonly keys: boolean;
  readonly over: () => void;
  readonly reject: () => void;
}

function OtherCall({ call, keys, over, reject }: OtherCallProps): JSX.Element {
  const ringing = call.phase === "ringing";
  const verb = ringing ? "Answer" : "Switch to";
  return (
    <li data-state={call.phase} data-held={call.heldHere}>
      <b class="line" title={`Line ${call.line}`}>
        <span class="sr">Line </span>
        {call.line}
      </b>
      <span class="about">
        {call.peer}: {phaseText(call)}
      </span>
      {keys && ringing && (
        <button type="button" class="stop" aria-label={`Reject ${call.peer}`} onClick={reject}>
          <Icon name="hangUp" />
        </button>
      )}
      {keys && (
        <button
          type="button"
          class={ringing ? "go" : ""}
          aria-label={`${verb} ${call.peer}`}
          aria-keyshortcuts={`Alt+${call.line}`}
          onClick={over}
        >
          {ringing ? <Icon name="answer" /> : "Switch"}
        </button>
      )}
    </li>
  );
}
