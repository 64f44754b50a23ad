import type { JSX } from "preact";
import type { CallProps } from "./call-panel.tsx";
import { Dialler } from "./dialler.tsx";
import { NumberField } from "./number-field.tsx";
import { Pad } from "./pad.tsx";

/** What is open under the call: keypad for tones, transfer, number of one more call. */
export function Tool({ softphone, snapshot, call }: CallProps): JSX.Element {
  const props = { softphone, snapshot, call };
  const talking = call.phase === "talking";
  const { tool, sheet } = snapshot.ui;
  const open = talking && sheet !== "settings" ? tool : "none";
  return (
    <div class="below" data-testid="tool" data-state={open}>
      {open === "keypad" && (
        <Pad press={(key) => softphone.act(softphone.control.sendDigits(key, call.callId))} />
      )}
      {open === "transfer" && <TransferTool {...props} />}
      {open === "dial" && <Dialler softphone={softphone} snapshot={snapshot} />}
      <p class="sent" data-testid="sent" role="status" hidden={!talking || call.digits === ""}>
        {call.digits === "" ? "" : `Sent: ${call.digits}`}
      </p>
    </div>
  );
}

function TransferTool({ softphone, snapshot, call }: CallProps): JSX.Element {
  const { control } = softphone;
  const number = snapshot.ui.transferTo;
  const others = snapshot.otherCalls.filter(({ phase }) => phase === "talking");
  const empty = number.trim() === "";
  function blind(): void {
    softphone.set({ tool: "none", transferTo: "" });
    softphone.act(control.transfer(number, call.callId));
  }
  return (
    <section aria-label="Transfer" data-testid="transfer-tool">
      <NumberField
        id="transfer-to"
        label="Transfer to"
        value={number}
        focus={1}
        typed={(typed) => softphone.set({ transferTo: typed })}
        submit={blind}
      />
      <div class="keys two">
        <button type="submit" form="transfer-to-form" class="go" disabled={empty}>
          Transfer now
        </button>
        <button
          type="button"
          disabled={empty || snapshot.otherCalls.length > 1}
          onClick={() => softphone.dial(number)}
        >
          Ask first
        </button>
      </div>
      {others.map((other) => (
        <button
          type="button"
          key={other.callId}
          class="wide"
          onClick={() => softphone.act(control.completeTransfer(call.callId, other.callId))}
        >
          Connect with line {other.line}: {other.peer}
        </button>
      ))}
      <Pad press={(key) => softphone.set({ transferTo: number + key })} />
    </section>
  );
}
