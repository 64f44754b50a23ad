/** What a device is for. The ring may come out of another one than the call. */
export type DeviceUse = "microphone" | "speaker" | "ring";

/** What of a browser's `MediaDeviceInfo` counts. */
export type Device = Pick<MediaDeviceInfo, "kind" | "deviceId" | "label" | "groupId">;

/**
 * The device that somebody wants. Browsers give ids anew (other profile, cleared data): the label then finds it. Both empty:
 * whatever the system's default is.
 */
export interface Wanted {
  readonly id: string;
  readonly label: string;
}

export const SYSTEM_DEFAULT: Wanted = { id: "", label: "" };

/** The device to use. */
export interface Choice {
  /** What the browser is asked for; empty: the system's default. */
  readonly id: string;
  /** The name of the device that this is; empty while the browser does not tell. */
  readonly label: string;
  /** The wanted one is not there. */
  readonly missing: boolean;
  /** There is none at all. */
  readonly none: boolean;
}

/**
 * What became of the device in use: `gone`: pulled out; `back`: the one that was pulled out is there again; `changed`: the
 * system has another default; `missing`: the wanted one was not there to begin with.
 */
export type DeviceChange = "gone" | "back" | "changed" | "missing";

/** One use of devices, as followed from one list of them to the next. */
export interface Following {
  readonly wanted: Wanted;
  readonly choice: Choice;
  /** The name of the device that was pulled out or never there; empty: none. */
  readonly awaited: string;
  /** Another device than before is to be used. */
  readonly switched: boolean;
  readonly change: DeviceChange | undefined;
}

/** Chrome lists what the system calls its defaults as devices of their own. */
const ROLES: readonly string[] = ["default", "communications"];

function kindOf(use: DeviceUse): MediaDeviceKind {
  return use === "microphone" ? "audioinput" : "audiooutput";
}

/** The devices a person can choose from. */
export function devicesFor(use: DeviceUse, devices: readonly Device[]): readonly Device[] {
  return devices.filter(
    ({ kind, deviceId }) => kind === kindOf(use) && deviceId !== "" && !ROLES.includes(deviceId),
  );
}

/** The device behind the system's default: Chrome names it by its group, other browsers list it first. */
function systemDefault(use: DeviceUse, devices: readonly Device[]): Choice {
  const real = devicesFor(use, devices);
  const role = devices.find(({ kind, deviceId }) => kind === kindOf(use) && deviceId === "default");
  const named = role && real.find(({ groupId }) => groupId !== "" && groupId === role.groupId);
  const label = (named ?? role ?? real[0])?.label ?? "";
  return { id: "", label, missing: false, none: !devices.some(({ kind }) => kind === kindOf(use)) };
}

function isDefault({ id, label }: Wanted): boolean {
  return id === "" && label === "";
}

/** A device's name for people: Chrome adds the vendor's and product's numbers. */
export function shownName(label: string): string {
  return label.replace(/ \([0-9a-f]{4}:[0-9a-f]{4}\)$/, "");
}

/** Which of the devices to use: the wanted one by id, else by its name where only one has it, else the default. */
export function choose(use: DeviceUse, devices: readonly Device[], wanted: Wanted): Choice {
  const fallback = systemDefault(use, devices);
  if (isDefault(wanted)) return fallback;
  const real = devicesFor(use, devices);
  const named = real.filter(({ label }) => label !== "" && label === wanted.label);
  const found =
    real.find(({ deviceId }) => deviceId === wanted.id) ?? (named.length === 1 ? named[0] : undefined);
  if (found !== undefined) return { id: found.deviceId, label: found.label, missing: false, none: false };
  // Before it is allowed to use one, a page is told no device's id: the wanted one may well be there.
  const untold = devices.some(({ kind, deviceId }) => kind === kindOf(use) && deviceId === "");
  if (untold) return { ...wanted, missing: false, none: false };
  return { ...fallback, missing: true };
}

function isThere(use: DeviceUse, devices: readonly Device[], { id, label }: Choice): boolean {
  return devicesFor(use, devices).some((one) => (id === "" ? one.label === label : one.deviceId === id));
}

function isSame(before: Choice, after: Choice): boolean {
  const named = before.label === "" || after.label === "" || before.label === after.label;
  return before.id === after.id && before.none === after.none && named;
}

/** What is to be used now, and what that means for the person. @param before undefined: nothing was in use yet */
export function follow(
  use: DeviceUse,
  before: Following | undefined,
  devices: readonly Device[],
  wanted: Wanted,
): Following {
  const choice = choose(use, devices, wanted);
  const asked =
    before === undefined || before.wanted.id !== wanted.id || before.wanted.label !== wanted.label;
  if (asked) {
    const switched = before !== undefined && !isSame(before.choice, choice);
    const awaited = choice.missing ? wanted.label : "";
    return { wanted, choice, awaited, switched, change: choice.missing ? "missing" : undefined };
  }
  // A name that is told only now changes nothing.
  if (isSame(before.choice, choice)) return { ...before, choice, switched: false, change: undefined };
  const isBack = before.awaited !== "" && choice.label === before.awaited;
  const isGone = !isBack && !before.choice.none && !isThere(use, devices, before.choice);
  return {
    wanted,
    choice,
    awaited: isBack ? "" : isGone && before.choice.label !== "" ? before.choice.label : before.awaited,
    switched: true,
    change: isBack ? "back" : isGone ? "gone" : "changed",
  };
}
