import type { FakeDevice, FakeDevices } from "./fake-devices-contract.ts";
import { farEnd } from "./far-end.ts";
import { toneOf } from "./tone.ts";

interface Source {
  readonly id: string;
  /** The one that was asked for, then its copies. */
  readonly streams: MediaStream[];
}

const list: FakeDevice[] = [];
const busy = new Set<string>();
const asked: MediaTrackConstraints[] = [];
const notices: FakeDevices["notices"][number][] = [];
const sources: Source[] = [];
const sinks = new Map<HTMLMediaElement, string>();
const elements = new Set<HTMLMediaElement>();
let context: AudioContext | undefined;
let isSilenced = false;
let isHidden = false;

function only(kind: FakeDevice["kind"]): readonly FakeDevice[] {
  return list.filter((one) => one.kind === kind);
}

function open(device: FakeDevice): MediaStream {
  context ??= new AudioContext();
  const oscillator = new OscillatorNode(context, { frequency: device.tone ?? 440 });
  const destination = context.createMediaStreamDestination();
  oscillator.connect(destination);
  oscillator.start();
  sources.push({ id: device.id, streams: [destination.stream] });
  return destination.stream;
}

/** Ends what a microphone gives, copies too, as its being pulled out does. */
function end({ streams }: Source): void {
  for (const track of streams.flatMap((one) => one.getTracks()).filter(isLive)) {
    track.stop();
    track.dispatchEvent(new Event("ended"));
  }
}

function isLive({ readyState }: MediaStreamTrack): boolean {
  return readyState === "live";
}

async function getUserMedia(constraints?: MediaStreamConstraints): Promise<MediaStream> {
  const audio = typeof constraints?.audio === "object" ? constraints.audio : {};
  asked.push(audio);
  const id: unknown = typeof audio.deviceId === "object" ? Reflect.get(audio.deviceId, "exact") : undefined;
  const device = only("audioinput").find((one) => id === undefined || one.id === id);
  if (device === undefined)
    throw new DOMException("not there", id === undefined ? "NotFoundError" : "OverconstrainedError");
  if (busy.has(device.id)) throw new DOMException("busy", "NotReadableError");
  return open(device);
}

function fakeMicrophones(): void {
  navigator.mediaDevices.enumerateDevices = async () =>
    list.map(({ kind, id, label }) => {
      const device = { kind, deviceId: id, label, groupId: `group of ${label}` };
      return { ...device, toJSON: () => device };
    });
  navigator.mediaDevices.getUserMedia = getUserMedia;
  const { clone } = MediaStream.prototype;
  MediaStream.prototype.clone = function () {
    const copy = Reflect.apply(clone, this, []);
    sources.find(({ streams }) => streams.includes(this))?.streams.push(copy);
    return copy;
  };
}

function fakeOutputs(): void {
  HTMLMediaElement.prototype.setSinkId = async function (id: string) {
    if (id !== "" && !only("audiooutput").some((one) => one.id === id))
      throw new DOMException("not there", "NotFoundError");
    sinks.set(this, id);
  };
  const { play } = HTMLMediaElement.prototype;
  HTMLMediaElement.prototype.play = async function () {
    if (isSilenced) throw new DOMException("no gesture yet", "NotAllowedError");
    elements.add(this);
    await Reflect.apply(play, this, []);
  };
}

class FakeNotification extends EventTarget {
  static permission = "granted";
  static readonly requestPermission = async (): Promise<string> => "granted";
  readonly #shown: FakeDevices["notices"][number];

  constructor(title: string, { body = "" }: { body?: string } = {}) {
    super();
    this.#shown = { title, body };
    notices.push(this.#shown);
  }

  close(): void {
    const at = notices.indexOf(this.#shown);
    if (at >= 0) notices.splice(at, 1);
  }
}

function fakeSight(): void {
  Object.defineProperty(window, "Notification", { value: FakeNotification });
  Object.defineProperty(document, "hidden", { get: () => isHidden });
}

/** What plays on the output of this name; the first one is the system's default. */
function playingOn(label: string): readonly HTMLMediaElement[] {
  const [first, ...rest] = only("audiooutput");
  const id = [first, ...rest].find((one) => one?.label === label)?.id;
  return [...elements].filter((one) => {
    const sink = sinks.get(one) || first?.id;
    return id !== undefined && one.srcObject !== null && !one.paused && sink === id;
  });
}

async function heardOn(label: string): Promise<number> {
  for (const { srcObject } of playingOn(label)) {
    const tone = srcObject instanceof MediaStream ? await toneOf(srcObject) : 0;
    if (tone > 0) return tone;
  }
  return 0;
}

function changed(): void {
  navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
}

// Before outputs are faked: its ear is none of theirs.
const there = farEnd();
fakeMicrophones();
fakeOutputs();
fakeSight();
window.fakeDevices = {
  asked,
  notices,
  plug(...devices) {
    list.push(...devices);
    changed();
  },
  unplug(...labels) {
    for (const device of list.filter(({ label }) => labels.includes(label))) {
      list.splice(list.indexOf(device), 1);
      for (const source of sources) if (source.id === device.id) end(source);
    }
    changed();
  },
  hold: (id) => void busy.add(id),
  silence(on) {
    isSilenced = on;
  },
  hide(hidden) {
    isHidden = hidden;
    document.dispatchEvent(new Event("visibilitychange"));
  },
  heardOn,
  volumeOn: (label) => Math.max(0, ...playingOn(label).map(({ volume }) => volume)),
  copies: () => {
    const copies = sources.flatMap(({ streams: [, ...rest] }) => rest);
    return copies.filter((one) => one.getTracks().some(isLive)).length;
  },
  ...there,
};
