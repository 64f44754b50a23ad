import { describe, expect, it } from "vitest";
import { callPlaces } from "../support/call-places.ts";
import { browserSdp } from "../support/descriptions.ts";
import { noLeftovers, sessionOf, WholeCall } from "../support/whole-call.ts";

/** What a call may lose beside SIP Server (restart.test.ts) and its browser (vanish.test.ts): media, or both sides. */

const places = Object.keys(callPlaces).filter((place) => callPlaces[place]?.state !== "ended");

/** The worker's death: each of its sessions tells `closed`, what waits for an answer of the worker's fails. */
function killMedia(call: WholeCall): void {
  for (const session of call.media.opened) session.close("media worker failed");
}

/** The socket breaks and nobody comes back: as src/ws and the registrar tell it. */
function loseBrowser(call: WholeCall): void {
  const { presence } = call;
  presence.flow = undefined;
  presence.reachable = false;
  presence.waitForFlow = (ms) => new Promise((resolve) => call.clock.setTimer(ms, () => resolve(undefined)));
  call.toBrowser.open = false;
  call.layer.flowClosed(call.toBrowser);
  call.browser.layer.flowClosed(call.browser.flow);
  sessionOf(call.browser)?.close();
  call.b2bua.connectionLost();
  call.clock.setTimer(30_000, () => {
    presence.gone = true;
    call.registrarEvents.emit("signed-out", presence, "grace time is over");
  });
}

async function expectNothingLeft(call: WholeCall): Promise<void> {
  call.network.drop = () => false;
  const { dialogs: _far, transactions: _farToo, ...rest } = await call.leftovers();
  const { client, server } = call.layer.counts;
  expect({ ...rest, dialogs: call.dispatcher.size, transactions: client + server }).toEqual(noLeftovers);
}

describe("the media worker's death", () => {
  it.each(places)("ends the call on both sides, with a reason: %s", async (place) => {
    const call = new WholeCall(callPlaces[place]?.options);
    await callPlaces[place]?.reach(call);
    killMedia(call);
    // A 200 that waits for its ACK must get it, or its time, before BYE (RFC 3261 15).
    await call.pass(40_000);
    expect(call.records).toMatchObject([{ endedBy: "jackfield", reason: "media: media worker failed" }]);
    const { sipServer, browser } = call.standings;
    expect(sipServer).toBe("over");
    expect(["over", "none"]).toContain(browser);
    for (const end of [call.trunk, call.browser])
      if (sessionOf(end))
        expect(end.user.told.at(-1)).toMatch(/^(failed (4|5)\d\d|ended BYE .*media worker failed)/);
    await expectNothingLeft(call);
  });

  it.each(places)("at the moment of a re-INVITE of either side leaves nothing: %s", async (place) => {
    const call = new WholeCall(callPlaces[place]?.options);
    await callPlaces[place]?.reach(call);
    for (const session of call.media.opened)
      session.restartIce = () => Promise.reject(new Error("worker is gone"));
    const quiet = { onAnswer: () => undefined };
    sessionOf(call.browser)?.reinvite(() => browserSdp({ ufrag: "moved" }), quiet);
    sessionOf(call.trunk)?.reinvite(() => undefined, quiet);
    await call.pass(2);
    killMedia(call);
    await call.pass(40_000);
    expect(call.records).toHaveLength(1);
    await expectNothingLeft(call);
  });
});

describe("SIP Server and the browser gone at the same moment", () => {
  it.each(places)("leave nothing: %s", async (place) => {
    const call = new WholeCall(callPlaces[place]?.options);
    await callPlaces[place]?.reach(call);
    call.restartSipServer(undefined);
    loseBrowser(call);
    await call.clock.advanceAsync(75_000, 100);
    expect(call.b2bua.size).toBe(0);
    expect(call.records).toHaveLength(1);
    await expectNothingLeft(call);
  });
});
