import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { CallSnapshot } from "../phone/call.ts";
import { duration, qualityText } from "../phone/words.ts";
import type { ViewProps } from "./props.ts";
import { phaseText } from "./phase.ts";

/** The call on the page: who, how long, what can be done with it. */
export function CallPanel(props: ViewProps): JSX.Element {
  const call = props.snapshot.call;
  return (
    <section
      id="call"
      data-testid="call"
      data-state={call?.phase ?? "none"}
      data-held={call?.heldHere ?? false}
      aria-label="Call"
      hidden={call === undefined}
    >
      {call !== undefined && <ShownCall {...props} call={call} />}
    </section>
  );
}

interface CallProps extends ViewProps {
  readonly call: CallSnapshot;
}

function ShownCall({ softphone, snapshot, call }: CallProps): JSX.Element {
  return (
    <>
      <p class="phase" data-testid="call-phase" role="status">
        {phaseText(call)}
      </p>
      <p class="peer" data-testid="call-peer">
        {call.peer}
      </p>
      <Timer since={call.since} />
      <p class="sr" data-testid="call-quality">
        {call.phase === "talking" ? qualityText(call.quality) : ""}
      </p>
      {softphone.places.show("quality", call)}
      <dl id="call-data" data-testid="call-data">
        {call.data.map(({ label, value }) => (
          <>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </>
        ))}
      </dl>
      <div class="keys calls">
        {call.phase === "ringing" ? (
          <RingingKeys softphone={softphone} snapshot={snapshot} call={call} />
        ) : (
          <CallKeys softphone={softphone} snapshot={snapshot} call={call} />
        )}
      </div>
    </>
  );
}

function Timer({ since }: { readonly since: number | undefined }): JSX.Element {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (since === undefined) return undefined;
    const ticking = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(ticking);
  }, [since]);
  return (
    <p class="timer" data-testid="call-timer" role="timer" aria-live="off">
      {since === undefined ? "" : duration(now - since)}
    </p>
  );
}

function RingingKeys({ softphone, call: { callId } }: CallProps): JSX.Element {
  const answer = useRef<HTMLButtonElement>(null);
  // Enter answers, unless the person is typing or using something else.
  useLayoutEffect(() => {
    if (document.activeElement === document.body) answer.current?.focus();
  }, [callId]);
  return (
    <>
      <button
        type="button"
        class="go"
        ref={answer}
        data-testid="answer"
        onClick={() => softphone.act(softphone.control.answer(callId))}
      >
        Answer
      </button>
      <button
        type="button"
        class="stop"
        data-testid="reject"
        onClick={() => softphone.act(softphone.control.reject(callId))}
      >
        Reject
      </button>
    </>
  );
}

function CallKeys({ softphone, snapshot, call }: CallProps): JSX.Element {
  const { control } = softphone;
  const { callId, phase, muted, heldHere } = call;
  const { pad } = snapshot.ui;
  return (
    <>
      {phase === "talking" && (
        <>
          <button
            type="button"
            data-testid="mute"
            aria-pressed={muted}
            onClick={() => softphone.phone.mute(!muted, callId)}
          >
            {muted ? "Unmute" : "Mute"}
          </button>
          <button
            type="button"
            data-testid="hold"
            aria-pressed={heldHere}
            onClick={() => softphone.act(heldHere ? control.retrieve(callId) : control.hold(callId))}
          >
            {heldHere ? "Retrieve" : "Hold"}
          </button>
          <button
            type="button"
            data-testid="keypad"
            aria-expanded={pad}
            aria-controls="pad"
            onClick={() => softphone.set({ pad: !pad })}
          >
            Keypad
          </button>
        </>
      )}
      <button
        type="button"
        class="stop"
        data-testid="hang-up"
        onClick={() => softphone.act(control.hangUp(callId))}
      >
        Hang up
      </button>
    </>
  );
}
