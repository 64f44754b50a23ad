import { beforeAll, describe, expect, it } from "vitest";
import { warmUpOpus } from "../../../src/media/codec/opus.ts";
import type { Side } from "../../../src/media/contract.ts";
import { timestampDistance } from "../../../src/media/rtp/packet.ts";
import { toCodes, voice } from "../../support/sound.ts";
import { encodeDtx, talkAndPauses } from "./dtx.ts";
import { opus, parse, pcma, pcmu, RelayDouble, rtp } from "./relay-double.ts";

beforeAll(() => warmUpOpus(0));

const trunkSound = toCodes(voice(10, 3), "pcmu");

interface Sender {
  ssrc: number;
  sequence: number;
  timestamp: number;
  frame: number;
  held?: Buffer | undefined;
}

/** A call to which everything happens that does in a contact centre, and a network that loses and reorders. */
class Call {
  readonly relay: RelayDouble;
  readonly #packets: readonly (Uint8Array | undefined)[];
  readonly #senders: Record<Side, Sender> = {
    browser: { ssrc: 1, sequence: 65_000, timestamp: 2 ** 32 - 100_000, frame: 0 },
    trunk: { ssrc: 2, sequence: 100, timestamp: 5, frame: 0 },
  };
  #state: number;
  #address = 10;
  #law = 0;

  constructor(relay: RelayDouble, packets: readonly (Uint8Array | undefined)[], seed: number) {
    this.relay = relay;
    this.#packets = packets;
    this.#state = seed;
  }

  random(): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#state / 2 ** 32;
  }

  /** Both talk for `frames` times 20 ms, over a network that loses 2 % and reorders 2 %. */
  talk(frames: number): void {
    for (let index = 0; index < frames; index++) {
      this.#send("browser");
      this.#send("trunk");
      this.relay.pass(20);
    }
  }

  #send(side: Side): void {
    const sender = this.#senders[side];
    const opusPacket = this.#packets[sender.frame % this.#packets.length];
    const from = (sender.frame % 500) * 160;
    const body = side === "trunk" ? trunkSound.subarray(from, from + 160) : opusPacket;
    const type = side === "trunk" ? this.#law : 111;
    sender.frame++;
    sender.timestamp += side === "trunk" ? 160 : 960;
    if (!body) return;
    const packet = rtp(type, sender.sequence++, sender.timestamp, body, { ssrc: sender.ssrc });
    const fate = this.random();
    const earlier = sender.held;
    sender.held = fate > 0.96 && fate < 0.98 && !earlier ? packet : undefined;
    if (!sender.held && fate < 0.98) this.#deliver(side, packet);
    if (earlier) this.#deliver(side, earlier);
  }

  #deliver(side: Side, packet: Buffer): void {
    if (side === "browser") this.relay.fromBrowser(packet);
    else this.relay.fromTrunk(packet, `192.0.2.${this.#address}`, 40_000);
  }

  readonly happenings: Readonly<Record<string, () => void>> = {
    "another SSRC of SIP Server's": () => {
      this.#senders.trunk = { ssrc: 77 + this.#senders.trunk.frame, sequence: 9, timestamp: 1e9, frame: 50 };
    },
    "another source in the browser": () => {
      this.#senders.browser = {
        ssrc: 99 + this.#senders.browser.frame,
        sequence: 50_000,
        timestamp: 7,
        frame: 0,
      };
    },
    "a re-target to another media server": () => {
      this.#address++;
      this.relay.describeTrunk({
        address: `192.0.2.${this.#address}`,
        payload: this.#law === 0 ? pcmu : pcma,
      });
      this.#senders.trunk.ssrc += 1000;
    },
    "timestamps that jump": () => {
      this.#senders.trunk.timestamp += 1e8;
      this.#senders.browser.timestamp += 3e8;
    },
    "a hold with music": () => {
      this.relay.session.setDirection("browser", "sendonly");
      this.talk(60);
      this.relay.session.setDirection("browser", "sendrecv");
    },
    "a hold in silence": () => {
      this.relay.session.setDirection("browser", "inactive");
      this.relay.session.setDirection("trunk", "inactive");
      this.talk(70);
      this.relay.session.setDirection("browser", "sendrecv");
      this.relay.session.setDirection("trunk", "sendrecv");
    },
    "another law": () => {
      this.#law = 8 - this.#law;
      this.relay.describeTrunk({
        address: `192.0.2.${this.#address}`,
        payload: this.#law === 0 ? pcmu : pcma,
      });
    },
    "a key pressed here": () => this.relay.session.sendDtmf("trunk", "5", 100),
    "comfort noise of SIP Server's": () => {
      const { trunk } = this.#senders;
      for (let index = 0; index < 20; index++) {
        if (index % 5 === 0)
          this.relay.fromTrunk(
            rtp(13, trunk.sequence++, trunk.timestamp + 160, Buffer.from([70]), { ssrc: trunk.ssrc }),
            `192.0.2.${this.#address}`,
            40_000,
          );
        trunk.timestamp += 160;
        this.#send("browser");
        this.relay.pass(20);
      }
    },
    "a stalled network": () => {
      this.relay.pass(150);
      this.#senders.trunk.timestamp += 1120;
      this.#senders.browser.timestamp += 6720;
    },
  };
}

interface Fault {
  readonly at: number;
  readonly what: string;
}

/** What is wrong with a line: SSRC, numbers, timestamps that go back, and where it ends against the clock. */
function faults(packets: readonly { packet: Buffer; at: number }[], rate: number): Fault[] {
  const found: Fault[] = [];
  const first = packets[0] && parse(packets[0].packet).header;
  let before = first;
  let audio = first;
  for (const { packet, at } of packets.slice(1)) {
    const { header } = parse(packet);
    const event = header.payloadType === 101 || header.payloadType === 110;
    const step = timestampDistance(header.timestamp, audio?.timestamp ?? 0);
    if (header.ssrc !== first?.ssrc) found.push({ at, what: "ssrc" });
    if (((header.sequence - (before?.sequence ?? 0)) & 0xffff) !== 1) found.push({ at, what: "sequence" });
    // The copies of a key's end carry the time of its press while audio goes on (RFC 4733 2.5.1.4).
    if (!event && step <= 0) found.push({ at, what: `timestamp ${step}` });
    before = header;
    if (!event) audio = header;
  }
  const span = timestampDistance(audio?.timestamp ?? 0, first?.timestamp ?? 0) / (rate / 1000);
  const passed = (packets.at(-1)?.at ?? 0) - (packets[0]?.at ?? 0);
  if (Math.abs(span - passed) > 250) found.push({ at: passed, what: `${span} ms on the line` });
  return found;
}

describe("a line toward a side stays one line, whatever the other side does", () => {
  it.each([
    [1, false],
    [2, false],
    [3, false],
    [1, true],
    [2, true],
    [3, true],
  ])("all of it in an order by chance (%i), jitter buffer %s", async (seed, jitterBuffer) => {
    const relay = await RelayDouble.connected(opus, pcmu, { jitterBuffer });
    const toBrowser: { packet: Buffer; at: number }[] = [];
    const toTrunk: { packet: Buffer; at: number }[] = [];
    const { transport, trunk } = relay;
    transport.sendRtp = (packet, length) => {
      toBrowser.push({ packet: Buffer.from(packet.subarray(0, length)), at: relay.clock.now() });
      return true;
    };
    trunk.sendRtp = (packet, length) => {
      toTrunk.push({ packet: Buffer.from(packet.subarray(0, length)), at: relay.clock.now() });
      return true;
    };
    const call = new Call(relay, await encodeDtx(talkAndPauses(9, 1200, 700), true), seed);
    call.talk(50);
    const names = Object.keys(call.happenings);
    for (let count = 0; count < 60; count++) {
      const name = names[Math.floor(call.random() * names.length)] ?? "";
      call.happenings[name]?.();
      await relay.settle();
      call.talk(20 + Math.floor(call.random() * 60));
    }
    expect(relay.told.filter((line) => line.startsWith("failed"))).toEqual([]);
    expect(toBrowser.length).toBeGreaterThan(2000);
    expect(toTrunk.length).toBeGreaterThan(2500);
    expect(faults(toBrowser, 48_000)).toEqual([]);
    expect(faults(toTrunk, 8000)).toEqual([]);
  });
});
