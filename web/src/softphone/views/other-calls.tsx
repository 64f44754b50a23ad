import type { JSX } from "preact";
import type { ViewProps } from "./props.ts";
import { phaseText } from "./phase.ts";

/** The calls beside the one that is shown large, each with a button that goes over to it; a ringing one can be rejected. */
export function OtherCalls({ softphone, snapshot }: ViewProps): JSX.Element {
  const calls = snapshot.otherCalls;
  return (
    <ul id="other-calls" data-testid="other-calls" aria-label="Other calls" hidden={calls.length === 0}>
      {calls.map((call) => {
        const ringing = call.phase === "ringing";
        return (
          <li key={call.callId}>
            <span>
              {call.peer}: {phaseText(call)}
            </span>
            <button type="button" class={ringing ? "go" : ""} onClick={() => softphone.switchTo(call.callId)}>
              {ringing ? "Answer" : "Switch to"} {call.peer}
            </button>
            {ringing && (
              <button
                type="button"
                class="stop"
                onClick={() => softphone.act(softphone.control.reject(call.callId))}
              >
                Reject {call.peer}
              </button>
            )}
          </li>
        );
      })}
    </ul>
  );
}
