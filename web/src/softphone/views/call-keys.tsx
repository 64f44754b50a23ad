import type { ComponentChildren, JSX } from "preact";
import type { CallAct } from "../phone/call-control.ts";
import type { CallSnapshot } from "../phone/call-snapshot.ts";
import type { Tool } from "../snapshot.ts";
import { Icon, type IconName } from "./icons.tsx";
import type { ViewProps } from "./props.ts";

interface CallKeysProps extends ViewProps {
  readonly call: CallSnapshot;
}

interface KeyProps {
  readonly icon: IconName;
  readonly id: string;
  readonly keys: string;
  readonly press: () => void;
  readonly children: ComponentChildren;
  readonly pressed?: boolean;
  readonly expanded?: boolean;
  readonly disabled?: boolean;
}

function Key({
  icon,
  id,
  keys,
  press,
  children,
  pressed,
  expanded,
  disabled = false,
}: KeyProps): JSX.Element {
  return (
    <button
      type="button"
      data-testid={id}
      class={id === "hang-up" ? "stop" : ""}
      title={keys}
      aria-keyshortcuts={keys}
      aria-pressed={pressed}
      aria-expanded={expanded}
      disabled={disabled}
      onClick={press}
    >
      <Icon name={icon} />
      {children}
    </button>
  );
}

/** What can be done with a call that goes on; before the answer only its end. */
export function CallKeys({ softphone, snapshot, call }: CallKeysProps): JSX.Element {
  const { control } = softphone;
  const { callId, phase, muted, heldHere } = call;
  const talking = phase === "talking";
  const forbidden = (act: CallAct): boolean => control.allows?.(act, callId) === false;
  const consulted = talking && snapshot.otherCalls.some((other) => other.phase === "talking");
  return (
    <>
      {consulted && (
        <button
          type="button"
          class="go wide complete"
          data-testid="complete"
          aria-keyshortcuts="Alt+C"
          onClick={() => softphone.act(control.completeTransfer(callId))}
        >
          <Icon name="connect" />
          Complete transfer
        </button>
      )}
      <div class={talking ? "keys calls" : "keys"}>
        {talking && (
          <>
            <Key
              icon={muted ? "muted" : "microphone"}
              id="mute"
              keys="Alt+M"
              pressed={muted}
              press={() => softphone.phone.mute(!muted, callId)}
            >
              {muted ? "Unmute" : "Mute"}
            </Key>
            <Key
              icon={heldHere ? "retrieve" : "hold"}
              id="hold"
              keys="Alt+H"
              pressed={heldHere}
              disabled={forbidden(heldHere ? "retrieve" : "hold")}
              press={() => softphone.act(heldHere ? control.retrieve(callId) : control.hold(callId))}
            >
              {heldHere ? "Retrieve" : "Hold"}
            </Key>
            <ToolKeys softphone={softphone} snapshot={snapshot} forbidden={forbidden} />
          </>
        )}
        <Key icon="hangUp" id="hang-up" keys="Alt+X" press={() => softphone.act(control.hangUp(callId))}>
          Hang up
        </Key>
      </div>
    </>
  );
}

interface ToolKeysProps extends ViewProps {
  readonly forbidden: (act: CallAct) => boolean;
}

function ToolKeys({ softphone, snapshot: { ui, otherCalls }, forbidden }: ToolKeysProps): JSX.Element {
  const opens = (tool: Exclude<Tool, "none">): { expanded: boolean; press: () => void } => ({
    expanded: ui.tool === tool,
    press: () => softphone.toggle(tool),
  });
  return (
    <>
      <Key icon="keypad" id="keypad" keys="Alt+K" disabled={forbidden("sendDigits")} {...opens("keypad")}>
        Keypad
      </Key>
      <Key icon="transfer" id="transfer" keys="Alt+T" disabled={forbidden("transfer")} {...opens("transfer")}>
        Transfer
      </Key>
      <Key icon="add" id="new-call" keys="Alt+N" disabled={otherCalls.length > 1} {...opens("dial")}>
        New call
      </Key>
    </>
  );
}
