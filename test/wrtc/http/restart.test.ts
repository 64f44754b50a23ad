import { afterEach, describe, expect, it } from "vitest";
import { page, until, WrtcBench, type Answer, type BenchOptions } from "./support.ts";

let bench: WrtcBench;
afterEach(() => bench.close());

async function open(options: BenchOptions = {}): Promise<WrtcBench> {
  bench = await WrtcBench.open(options);
  return bench;
}

function say(body: string, session = 0): void {
  bench.calls[session]?.line.send({ kind: "info", body }, "5002");
}

async function parked(polls = 1): Promise<void> {
  await until(() => bench.wrtc.figures.polls === polls);
}

describe("after a restart", () => {
  async function restart(options: BenchOptions = {}): Promise<string> {
    const before = await WrtcBench.open();
    const ssid = await before.signIn();
    await before.close();
    await open(options);
    return ssid;
  }

  it("a poll registers the DN again, and ends what call the client may still think it has", async () => {
    const ssid = await restart();
    expect((await bench.ask(`/wrtc/wait?id=${ssid}`)).body).toBe("BYE");
    const poll = bench.ask(`/wrtc/wait?id=${ssid}`);
    await parked();
    expect(bench.admitted.map(({ dn }) => dn)).toEqual(["5001"]);
    say("hello");
    expect((await poll).body).toBe("INFO-PEER hello");
  });

  it("two polls at once make one session", async () => {
    const ssid = await restart();
    const polls = [1, 2].map(() => bench.ask(`/wrtc/wait?id=${ssid}`));
    expect((await Promise.race(polls)).body).toBe("BYE");
    await parked();
    expect(bench.wrtc.figures.sessions).toBe(1);
    say("hello");
    expect((await Promise.all(polls)).map(({ body }) => body).toSorted()).toEqual(["BYE", "INFO-PEER hello"]);
  });

  const roap = (messageType: string, seq: number, tiebreaker = 7): string =>
    `RSMP ${JSON.stringify({ messageType, sdp: "v=0", offererSessionId: 102, seq, tiebreaker })}`;

  it("an OFFER dials nobody in the first seconds, whatever it says: a hold may look like the beginning of a call", async () => {
    const ssid = await restart();
    const offer = (seq: number, tiebreaker: number): Promise<Answer> =>
      bench.ask(`/wrtc/message?from=${ssid}&to=5002`, { body: roap("OFFER", seq, tiebreaker) });
    const heard = (): string[] | undefined => bench.calls.at(-1)?.heard.map(({ message }) => message.kind);
    await offer(1, 7);
    expect((await bench.ask(`/wrtc/wait?id=${ssid}`)).body).toBe("BYE");
    // One that crossed that BYE.
    await offer(1, 8);
    expect((await bench.ask(`/wrtc/wait?id=${ssid}`)).body).toBe("BYE");
    expect(heard()).toEqual([]);
    const [calls] = bench.calls;
    if (calls) calls.busy = true;
    // Within a call that rang it since.
    await offer(2, 9);
    expect(heard()).toEqual(["offer"]);
    if (calls) calls.busy = false;
    bench.clock.advance(5000);
    await offer(1, 10);
    expect(heard()).toEqual(["offer", "offer"]);
  });

  it("what is posted about a call of before gets BYE, and a hold dials nobody", async () => {
    for (const [body, heard] of [
      [roap("OFFER", 2), []],
      [roap("ANSWER", 1), ["answer"]],
      ["GET-STATS", ["get-stats"]],
    ] as const) {
      const ssid = await restart();
      await bench.ask(`/wrtc/message?from=${ssid}&to=5002`, { body });
      expect(bench.calls.at(-1)?.heard.map(({ message }) => message.kind)).toEqual(heard);
      expect((await bench.ask(`/wrtc/wait?id=${ssid}`)).body).toBe("BYE");
      await bench.close();
    }
    await open();
  });

  it("a session is not found again by another page, by a gateway with another secret, or when it is too old", async () => {
    const ssid = await restart();
    expect((await bench.ask(`/wrtc/wait?id=${ssid}`, { origin: page })).status).toBe(404);
    bench.clock.advance(3_600_001);
    expect((await bench.ask(`/wrtc/wait?id=${ssid}`)).status).toBe(404);
    await bench.close();
    const other = await restart({ secret: "another" });
    expect((await bench.ask(`/wrtc/wait?id=${other}`)).status).toBe(404);
  });

  it("a session that signs out before it polls is not found again", async () => {
    const ssid = await restart();
    await bench.ask(`/wrtc/sign_out?id=${ssid}`);
    expect((await bench.ask(`/wrtc/wait?id=${ssid}`)).status).toBe(404);
    expect(bench.admitted).toEqual([]);
  });

  it("a DN that is no account any more has to stay out", async () => {
    const before = await WrtcBench.open();
    before.verdict = { outcome: "accepted" };
    const ssid = await before.signIn("6001");
    await before.close();
    await open();
    expect((await bench.ask(`/wrtc/wait?id=${ssid}`)).status).toBe(404);
  });
});
