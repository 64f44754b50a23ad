import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { CallSnapshot } from "../phone/call-snapshot.ts";
import type { Transfer } from "../phone/transfer.ts";
import { qualityText } from "../phone/words.ts";
import { CallData } from "./call-data.tsx";
import { CallKeys } from "./call-keys.tsx";
import { Icon } from "./icons.tsx";
import { phaseText, transferText } from "./phase.ts";
import type { ViewProps } from "./props.ts";
import { Timer } from "./timer.tsx";

export interface CallProps extends ViewProps {
  readonly call: CallSnapshot;
}

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

function ShownCall({ softphone, snapshot, call }: CallProps): JSX.Element {
  const props = { softphone, snapshot, call };
  return (
    <>
      <div class="head">
        <b class="line" title={`Line ${call.line}`} hidden={snapshot.otherCalls.length === 0}>
          <span class="sr">Line </span>
          {call.line}
        </b>
        <p class="phase" data-testid="call-phase" role="status">
          {phaseText(call)}
        </p>
        <Timer since={call.since} />
      </div>
      <p class="peer" data-testid="call-peer">
        {call.peer}
      </p>
      <TransferProgress transfer={call.transfer} />
      <p class="sr" data-testid="call-quality">
        {call.phase === "talking" ? qualityText(call.quality) : ""}
      </p>
      {softphone.places.show("quality", call)}
      <CallData data={call.data} use={(number) => softphone.use(number)} />
      {!snapshot.audioOnly &&
        (call.phase === "ringing" ? <RingingKeys {...props} /> : <CallKeys {...props} />)}
    </>
  );
}

function TransferProgress({ transfer }: { readonly transfer: Transfer | undefined }): JSX.Element {
  return (
    <p
      class="transfer"
      data-testid="call-transfer"
      data-state={transfer?.state ?? "none"}
      role="status"
      hidden={transfer === undefined}
    >
      {transfer === undefined ? "" : transferText(transfer)}
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
    <div class="keys ringing">
      <button
        type="button"
        class="stop"
        data-testid="reject"
        aria-keyshortcuts="Alt+X"
        onClick={() => softphone.act(softphone.control.reject(callId))}
      >
        <Icon name="hangUp" />
        Reject
      </button>
      <button
        type="button"
        class="go"
        ref={answer}
        data-testid="answer"
        aria-keyshortcuts="Alt+A"
        onClick={() => softphone.act(softphone.control.answer(callId))}
      >
        <Icon name="answer" />
        Answer
      </button>
    </div>
  );
}
