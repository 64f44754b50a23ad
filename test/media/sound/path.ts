import type { Side, SideStatistics } from "../../../src/media/contract.ts";
import { fromCodes, toCodes } from "../../support/sound.ts";
import { speech } from "../../support/speech.ts";
import { opus, pcmu, RelayDouble, rtp, type Sent } from "../relay/relay-double.ts";
import { decodeAsBrowser, decodePlainly, encodeAsBrowser, frame } from "./browser-codec.ts";
import { inTime, missing, withoutLate, type Arrival } from "./network.ts";
import type { PathName } from "./thresholds.ts";

/** Sound made into packets for one way through the relay. */
export interface Source {
  readonly path: PathName;
  readonly sound: Int16Array;
  readonly packets: readonly Uint8Array[];
}

/** What came out at the far side, and what a path without the relay would have made of the same arrivals. */
export interface Heard {
  readonly sound: Int16Array;
  /** The same arrivals with late packets dropped and silence in the place of what is missing. */
  readonly nothingDone: Int16Array;
  /** Indices of the packets that never came or came late. */
  readonly missing: readonly number[];
  /** Counters of the side the packets came from. */
  readonly statistics: SideStatistics;
  readonly sent: readonly Sent[];
}

const ways: Readonly<Record<PathName, { from: Side; to: Side; fec: boolean }>> = {
  pcmu: { from: "trunk", to: "browser", fec: false },
  "opus from browser": { from: "browser", to: "trunk", fec: true },
  "opus from browser, plc": { from: "browser", to: "trunk", fec: false },
  "opus to browser": { from: "trunk", to: "browser", fec: false },
};

/** Seconds spoken in each scenario, and by whom on each path. */
const seconds = 10;
const speakers: Readonly<Record<PathName, number>> = {
  pcmu: 1,
  "opus from browser": 2,
  "opus from browser, plc": 2,
  "opus to browser": 3,
};
const sources = new Map<string, Promise<Source>>();

/** The speech of a path as packets, made once. `lossPercent`: what the browser was told of. */
export function sourceOf(path: PathName, lossPercent = 0): Promise<Source> {
  const key = `${path} ${path.startsWith("opus from") ? lossPercent : 0}`;
  const made = sources.get(key) ?? makeSource(path, lossPercent);
  sources.set(key, made);
  return made;
}

async function makeSource(path: PathName, lossPercent: number): Promise<Source> {
  const { from, fec } = ways[path];
  const spoken = speech(seconds, speakers[path]);
  // What SIP Server says is G.711 before it comes to us: its rounding is not the relay's.
  const sound = from === "trunk" ? fromCodes(toCodes(spoken, "pcmu"), "pcmu") : spoken;
  const packets = from === "browser" ? await encodeAsBrowser(sound, { fec, lossPercent }) : lawPackets(sound);
  return { path, sound, packets };
}

function lawPackets(sound: Int16Array): Uint8Array[] {
  const codes = toCodes(sound, "pcmu");
  return Array.from({ length: Math.floor(codes.length / frame) }, (_, index) =>
    codes.subarray(index * frame, (index + 1) * frame),
  );
}

export interface CarryOptions {
  /** Called before each arrival, e.g. with reports of the far side. */
  readonly before?: (relay: RelayDouble, index: number) => Promise<void> | undefined;
  /** Packets lost between relay and browser, and whether the browser does as browsers do or puts silence there. */
  readonly lostAfter?: (index: number) => boolean;
  readonly silenceForLost?: boolean;
  /** A phone that plays each frame so many ms after the first could have been, and knows nothing later. */
  readonly phoneBufferMs?: number;
  readonly relay?: ConstructorParameters<typeof RelayDouble>[0];
}

/** Steps of time in which it is looked when packets go out, ms. */
const lookMs = 2;

/** Moves time on to `until`, noting when each packet toward SIP Server went out. */
function passNoting(relay: RelayDouble, until: number, times: number[]): void {
  const note = (): void => {
    while (times.length < relay.trunk.rtp.length) times.push(relay.clock.now());
  };
  note();
  while (relay.clock.now() < until) {
    relay.pass(Math.min(lookMs, until - relay.clock.now()));
    note();
  }
}

/** What came in time for a phone that plays by the timestamps, `bufferMs` behind the first packet. */
function playable(sent: readonly Sent[], times: readonly number[], bufferMs: number): Sent[] {
  const first = sent[0]?.header.timestamp ?? 0;
  const start = (times[0] ?? 0) + bufferMs;
  return sent.filter(
    ({ header }, index) => (times[index] ?? 0) <= start + ((header.timestamp - first) | 0) / 8,
  );
}

/** Sends the packets through a relay as they arrive and hears what comes out on the other side. */
export async function carry(
  source: Source,
  arrivals: readonly Arrival[],
  options: CarryOptions = {},
): Promise<Heard> {
  const { path, packets } = source;
  const { sent, statistics } = await relayed(source, arrivals, options);
  return {
    sound: await hear(path, sent, packets.length, options),
    nothingDone: await doNothing(source, arrivals),
    missing: missing(withoutLate(arrivals), packets.length),
    statistics,
    sent,
  };
}

async function relayed(
  { path, packets }: Source,
  arrivals: readonly Arrival[],
  { before, phoneBufferMs, relay: options }: CarryOptions = {},
): Promise<Pick<Heard, "sent" | "statistics">> {
  const { from, to } = ways[path];
  const relay = await RelayDouble.connected(path === "pcmu" ? pcmu : opus, pcmu, options);
  const [payloadType, ticks] = from === "browser" ? [opus.payloadType, 960] : [pcmu.payloadType, frame];
  const times: number[] = [];
  const pass = (until: number): void => {
    if (phoneBufferMs === undefined) relay.pass(Math.max(0, until - relay.clock.now()));
    else passNoting(relay, until, times);
  };
  for (const { index, at } of arrivals) {
    pass(at);
    await before?.(relay, index);
    // Sequence numbers and timestamps that wrap on the way.
    const payload = packets[index] ?? new Uint8Array();
    relay.from(from, rtp(payloadType, 65_300 + index, 0xffff_0000 + index * ticks, payload));
  }
  pass(relay.clock.now() + 100);
  const all = relay.sentTo(to);
  const statistics = relay.session.statistics()[from];
  await relay.session.close();
  return { sent: phoneBufferMs === undefined ? all : playable(all, times, phoneBufferMs), statistics };
}

/** What the far side hears that puts each packet where its timestamp says, as any receiver with a buffer does. */
async function hear(
  path: PathName,
  sent: readonly Sent[],
  count: number,
  { lostAfter, silenceForLost }: CarryOptions = {},
): Promise<Int16Array> {
  const wide = path === "opus to browser";
  const first = sent[0]?.header.timestamp ?? 0;
  const places = sent.map(({ header }) => ((header.timestamp - first) | 0) / (wide ? 6 : 1));
  if (wide) {
    const packets: (Uint8Array | undefined)[] = Array.from({ length: count });
    sent.forEach(({ payload }, index) => {
      const place = (places[index] ?? 0) / frame;
      if (place < count && !lostAfter?.(place)) packets[place] = payload;
    });
    return silenceForLost ? decodePlainly(packets) : decodeAsBrowser(packets);
  }
  const heard = new Int16Array(count * frame);
  sent.forEach(({ payload }, index) => {
    const place = places[index] ?? 0;
    if (place >= 0 && place + payload.length <= heard.length) heard.set(fromCodes(payload, "pcmu"), place);
  });
  return heard;
}

/** Silence in the place of all that did not come in time; else through the same codecs as the relay's sound. */
async function doNothing(source: Source, arrivals: readonly Arrival[]): Promise<Int16Array> {
  const { path, packets } = source;
  const came: (Uint8Array | undefined)[] = Array.from({ length: packets.length });
  for (const { index } of withoutLate(arrivals)) came[index] = packets[index];
  if (ways[path].from === "browser") return fromCodes(toCodes(await decodePlainly(came), "pcmu"), "pcmu");
  const filled = came.map((payload) => payload ?? new Uint8Array(frame).fill(0xff));
  const { sent } = await relayed({ ...source, packets: filled }, inTime(filled.length));
  return hear(path, sent, filled.length);
}
