import { describe, expect, it } from "vitest";
import { readEvent, writeEvent } from "../../../src/media/dtmf/event.ts";
import { parse, pcmu, RelayDouble, rtp } from "./relay-double.ts";

let sequence = 0;

/** A key pressed in the browser's media, held 100 ms. */
function pressKey(relay: RelayDouble, code: number): void {
  const timestamp = relay.clock.now() * 8;
  for (const [duration, end] of [
    [160, false],
    [480, false],
    [800, true],
    [800, true],
  ] as const) {
    const body = Buffer.alloc(4);
    writeEvent(body, 0, { code, end, volume: 10, duration });
    relay.fromBrowser(rtp(101, ++sequence, timestamp, body, { ssrc: 7 }));
    relay.pass(30);
  }
}

/** What the agent's INFO makes of a digit (`Call` hands it on so). */
function inform(relay: RelayDouble, digit: string): void {
  relay.session.sendDtmf("trunk", digit, 100);
}

/** Digits SIP Server heard: one for each event, by its timestamp. */
function heard(relay: RelayDouble): string {
  relay.pass(3000);
  const events = new Map<number, number>();
  for (const { packet } of relay.trunk.rtp) {
    const { header, payload } = parse(packet);
    const event = { code: 0, end: false, volume: 0, duration: 0 };
    if (header.payloadType === 101 && readEvent(payload, 0, payload.length, event))
      events.set(header.timestamp, event.code);
  }
  return [...events.values()].join("");
}

describe("a digit told both in the media and by INFO of the same client", () => {
  it.each<[string, (relay: RelayDouble) => void]>([
    [
      "media first",
      (relay) => {
        pressKey(relay, 5);
        inform(relay, "5");
      },
    ],
    [
      "INFO first",
      (relay) => {
        inform(relay, "5");
        pressKey(relay, 5);
      },
    ],
    [
      "INFO 400 ms before",
      (relay) => {
        inform(relay, "5");
        relay.pass(400);
        pressKey(relay, 5);
      },
    ],
    [
      "INFO 400 ms after the key was let go",
      (relay) => {
        pressKey(relay, 5);
        relay.pass(400);
        inform(relay, "5");
      },
    ],
  ])("is one: %s", async (_name, tell) => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    tell(relay);
    expect(heard(relay)).toBe("5");
    const { browser, trunk } = relay.session.statistics();
    expect((browser.dropped["dtmfTwice"] ?? 0) + (trunk.dropped["dtmfTwice"] ?? 0)).toBe(1);
  });

  it("pressed twice in quick succession is two, in any mixture", async () => {
    for (const order of ["mimi", "imim", "mmii", "iimm", "miim", "immi"]) {
      const relay = await RelayDouble.connected(pcmu, pcmu);
      for (const means of order) {
        if (means === "m") pressKey(relay, 5);
        else inform(relay, "5");
      }
      expect(heard(relay), order).toBe("55");
    }
  });

  it("is told once as an event of the call", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    pressKey(relay, 5);
    inform(relay, "5");
    expect(relay.told).toEqual(["connected", "dtmf browser 5"]);
  });
});

describe("what is no second telling of a digit is sent", () => {
  it.each<[string, (relay: RelayDouble) => void, string]>([
    ["another digit", (relay) => (pressKey(relay, 5), inform(relay, "6")), "56"],
    ["the same a second later", (relay) => (pressKey(relay, 5), relay.pass(1000), inform(relay, "5")), "55"],
    ["the same by the same means: INFO", (relay) => (inform(relay, "5"), inform(relay, "5")), "55"],
    ["the same by the same means: media", (relay) => (pressKey(relay, 5), pressKey(relay, 5)), "55"],
    ["a number dialled by NOTIFY", (relay) => (pressKey(relay, 5), inform(relay, "55")), "555"],
  ])("%s", async (_name, tell, wanted) => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    tell(relay);
    expect(heard(relay)).toBe(wanted);
  });

  it("a key that follows one left out is told from its start to its end", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    inform(relay, "5");
    pressKey(relay, 5);
    relay.pass(200);
    pressKey(relay, 8);
    expect(heard(relay)).toBe("58");
    expect(relay.told).toEqual(["connected", "dtmf browser 5", "dtmf browser 8"]);
  });
});
