import { align, fromCodes, segmentalSnr, toCodes } from "../../support/sound.ts";
import { speech } from "../../support/speech.ts";
import { stoi } from "../../support/stoi.ts";
import { pcmu, RelayDouble, rtp } from "../relay/relay-double.ts";
import type { SideStatistics } from "../../../src/media/contract.ts";
import { frame } from "./browser-codec.ts";

const minutes = 10;
const stretchSeconds = 2;
const everySeconds = 30;
/** Samples looked at to find a stretch: a second of speech occurs only once. */
const alignSamples = 8000;

export interface DriftOutcome {
  readonly packets: number;
  readonly sent: number;
  readonly statistics: SideStatistics;
  /** By how much the line's own time is ahead of the clock in the end, ms. */
  readonly aheadMs: number;
  readonly markers: number;
  /** Jumps of the sent timestamps that are not one frame. */
  readonly jumps: number;
  readonly stretches: readonly { readonly snr: number; readonly stoi: number; readonly lag: number }[];
}

/**
 * Ten minutes of PCMU from a sender whose clock is `ppm` too fast: two seconds of speech every half minute, between
 * them a telephone's silence.
 */
export async function runDrift(ppm: number): Promise<DriftOutcome> {
  const relay = await RelayDouble.connected(pcmu, pcmu);
  const period = 20 / (1 + ppm / 1e6);
  const packets = Math.floor((minutes * 60_000) / period);
  const spoken = speech(stretchSeconds, 5);
  const codes = toCodes(spoken, "pcmu");
  const silence = Buffer.alloc(frame, 0xff);
  const perStretch = (everySeconds * 1000) / 20;
  for (let index = 0; index < packets; index++) {
    relay.pass(Math.max(0, index * period - relay.clock.now()));
    const at = (index % perStretch) * frame;
    const payload = at + frame <= codes.length ? codes.subarray(at, at + frame) : silence;
    relay.fromTrunk(rtp(0, index, index * frame, payload));
  }
  const endedAt = relay.clock.now();
  relay.pass(100);
  const sent = relay.sentTo("browser");
  const first = sent[0]?.header.timestamp ?? 0;
  const places = sent.map(({ header }) => (header.timestamp - first) | 0);
  const heard = new Int16Array((places.at(-1) ?? 0) + 10 * frame);
  sent.forEach(({ payload }, index) => heard.set(fromCodes(payload, "pcmu"), places[index] ?? 0));
  const said = fromCodes(codes, "pcmu");
  const stretches = Array.from({ length: Math.floor(packets / perStretch) }, (_, stretch) => {
    const from = Math.max(0, stretch * perStretch * frame - 1600);
    const window = heard.subarray(from, from + said.length + 3200);
    const lag = align(said.subarray(0, alignSamples), window, 0, 3200);
    const part = window.subarray(lag, lag + said.length);
    return {
      snr: segmentalSnr(said, part, 0, 1),
      stoi: stoi(said, part),
      lag: from + lag - stretch * perStretch * frame,
    };
  });
  const statistics = relay.session.statistics().trunk;
  await relay.session.close();
  return {
    packets,
    sent: sent.length,
    statistics,
    aheadMs: (places.at(-1) ?? 0) / 8 - endedAt,
    markers: sent.filter(({ header }) => header.marker).length,
    jumps: places.slice(1).filter((place, index) => place - (places[index] ?? 0) !== frame).length,
    stretches,
  };
}
