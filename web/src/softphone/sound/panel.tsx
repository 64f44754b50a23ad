import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { SoundChoices } from "./choices.ts";
import { shownName, SYSTEM_DEFAULT, type Device, type DeviceUse } from "./devices.ts";
import { NO_OUTPUT_CHOICE } from "./problems.ts";
import type { Sound, SoundSnapshot } from "./sound.ts";

interface PanelProps {
  readonly sound: Sound;
  readonly snapshot: SoundSnapshot;
}

/** Devices, volumes and what else can be chosen about sound. */
export function SoundPanel({ sound }: { readonly sound: Sound }): JSX.Element {
  const { snapshot } = sound;
  const parts = { sound, snapshot };
  useEffect(() => () => sound.endTrial(), [sound]);
  return (
    <div class="sound" data-testid="sound">
      <MicrophonePart {...parts} />
      {!snapshot.canChooseOutput && <p class="hint">{NO_OUTPUT_CHOICE}</p>}
      <OutputPart {...parts} use="speaker" title="Speaker" test="Play a test sound" />
      <OutputPart {...parts} use="ring" title="Ringing" test="Ring once" />
      <NoticePart {...parts} />
      <button type="button" onClick={() => sound.settings.reset()}>
        Forget these choices
      </button>
    </div>
  );
}

function MicrophonePart({ sound, snapshot }: PanelProps): JSX.Element {
  return (
    <fieldset>
      <legend>Microphone</legend>
      <DeviceSelect sound={sound} snapshot={snapshot} use="microphone" devices={snapshot.microphones} />
      {snapshot.microphoneReady ? (
        <Meter key={snapshot.microphoneNumber} sound={sound} />
      ) : (
        <button type="button" data-testid="try-microphone" onClick={() => void sound.tryMicrophone()}>
          Try the microphone
        </button>
      )}
      <Switch sound={sound} snapshot={snapshot} choice="echoCancellation">
        Remove echo
      </Switch>
      <Switch sound={sound} snapshot={snapshot} choice="noiseSuppression">
        Suppress noise
      </Switch>
      <Switch sound={sound} snapshot={snapshot} choice="autoGainControl">
        Level my voice by itself
      </Switch>
    </fieldset>
  );
}

function Meter({ sound }: { readonly sound: Sound }): JSX.Element {
  const meter = useRef<HTMLMeterElement>(null);
  useEffect(
    () =>
      sound.measureMicrophone((level) => {
        if (meter.current !== null) meter.current.value = level;
      }),
    [sound],
  );
  return (
    <label class="level">
      How loud you are
      <meter ref={meter} data-testid="level" min={0} max={1} low={0.25} high={0.95} optimum={0.6} />
    </label>
  );
}

function OutputPart({
  sound,
  snapshot,
  use,
  title,
  test,
}: PanelProps & {
  readonly use: "speaker" | "ring";
  readonly title: string;
  readonly test: string;
}): JSX.Element {
  const choice = use === "speaker" ? "speakerVolume" : "ringVolume";
  return (
    <fieldset>
      <legend>{title}</legend>
      <DeviceSelect sound={sound} snapshot={snapshot} use={use} devices={snapshot.outputs} />
      <label>
        Volume
        <input
          type="range"
          min={0}
          max={1}
          step={0.05}
          data-testid={`${use}-volume`}
          value={snapshot.choices[choice]}
          onInput={(event) => sound.settings.choose({ [choice]: event.currentTarget.valueAsNumber })}
        />
      </label>
      <button type="button" data-testid={`test-${use}`} onClick={() => sound.test(use)}>
        {test}
      </button>
    </fieldset>
  );
}

function DeviceSelect({
  sound,
  snapshot,
  use,
  devices,
}: PanelProps & { readonly use: DeviceUse; readonly devices: readonly Device[] }): JSX.Element {
  const { missing } = snapshot.inUse[use];
  const wanted = snapshot.choices[use];
  const choose = (id: string): void => {
    const device = devices.find(({ deviceId }) => deviceId === id);
    sound.settings.choose({ [use]: device ? { id, label: device.label } : SYSTEM_DEFAULT });
  };
  return (
    <label>
      Device
      <select
        data-testid={`choose-${use}`}
        value={missing ? MISSING : snapshot.inUse[use].id}
        disabled={use !== "microphone" && !snapshot.canChooseOutput}
        onChange={(event) => choose(event.currentTarget.value)}
      >
        <option value="">System default{defaultName(snapshot, use)}</option>
        {devices.map(({ deviceId, label }, at) => (
          <option key={deviceId} value={deviceId}>
            {label === "" ? `Device ${at + 1}` : shownName(label)}
          </option>
        ))}
        {missing && (
          <option value={MISSING} disabled>
            {shownName(wanted.label)} (not plugged in)
          </option>
        )}
      </select>
    </label>
  );
}

/** No device has this id. */
const MISSING = "missing";

function defaultName({ inUse }: SoundSnapshot, use: DeviceUse): string {
  const { id, label } = inUse[use];
  return id === "" && label !== "" ? ` (${shownName(label)})` : "";
}

type Flag = {
  [Key in keyof SoundChoices]: SoundChoices[Key] extends boolean ? Key : never;
}[keyof SoundChoices];

function Switch({
  sound,
  snapshot,
  choice,
  children,
}: PanelProps & { readonly choice: Flag; readonly children: ComponentChildren }): JSX.Element {
  return (
    <label class="switch">
      <input
        type="checkbox"
        data-testid={choice}
        checked={snapshot.choices[choice]}
        onChange={(event) => sound.settings.choose({ [choice]: event.currentTarget.checked })}
      />
      {children}
    </label>
  );
}

function NoticePart({ sound, snapshot }: PanelProps): JSX.Element {
  return (
    <fieldset>
      <legend>Notifications</legend>
      {snapshot.notices === "granted" && (
        <Switch sound={sound} snapshot={snapshot} choice="notifications">
          Show a call that comes while this page is out of sight
        </Switch>
      )}
      {snapshot.notices === "default" && (
        <button type="button" data-testid="allow-notices" onClick={() => void sound.askForNotices()}>
          Allow notifications of calls
        </button>
      )}
      {snapshot.notices === "denied" && (
        <p class="hint">
          The browser does not let this page show notifications. Allow them by the symbol left of the address;
          within another page, open the softphone in a tab of its own once and allow them there.
        </p>
      )}
      {snapshot.notices === "unsupported" && <p class="hint">This browser shows no notifications.</p>}
    </fieldset>
  );
}
