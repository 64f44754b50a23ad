import { describe, expect, it } from "vitest";
import type { SessionTerms } from "../../src/sip/index.ts";
import { callPlaces } from "../support/call-places.ts";
import { browserSdp, genesysSdp } from "../support/descriptions.ts";
import { noLeftovers, sessionOf, WholeCall } from "../support/whole-call.ts";

/**
 * SIP Server is killed and started again at every state of a call: it knows no call any more, answers 481 within
 * dialogs, and says nothing at all while it is away. What must follow is in docs/decisions/0002-calls.md and
 * 0003-sip-and-registration.md: a running call goes on while its sound does, without sound it is cleared, with a reason
 * that the page is told; a call being set up is given up within the time its state has.
 */

/** SIP Server refreshes its sessions, as it says in each INVITE (genesys-sip-server.md 8). */
const refreshing: SessionTerms = {
  options: ["timer"],
  timer: { offerSeconds: 1800, minSeconds: 90, refresher: "us" },
};

interface Fault {
  /** Undefined: for good. */
  readonly silentMs: number | undefined;
  /** Long enough that its probes found it down. */
  readonly noticed: boolean;
}

const faults: Readonly<Record<string, Fault>> = {
  "is back at once": { silentMs: 0, noticed: false },
  "is back after 25 s": { silentMs: 25_000, noticed: true },
  "never comes back": { silentMs: undefined, noticed: true },
};

type Act = "nothing" | "answer" | "hold" | "hang up";

const acts: Readonly<Record<Act, (call: WholeCall) => void>> = {
  nothing: () => {},
  answer: (call) => call.browserAnswers(),
  hold: (call) =>
    sessionOf(call.browser)?.reinvite(() => browserSdp({ direction: "sendonly" }), {
      onAnswer: () => undefined,
    }),
  "hang up": (call) => {
    if (call.browser.outgoing?.pending) call.browser.outgoing.cancel();
    else if (call.browser.incoming?.pending) call.browser.incoming.reject(603);
    else sessionOf(call.browser)?.bye();
  },
};

/** The call is over within `seconds`, for `reason`; or it goes on. */
type Outcome = { readonly seconds: number; readonly reason: RegExp } | "goes on";

const byAgent = { seconds: 1, reason: /^agent's browser/ };
const silence = /no answer|not answered/;
const noTalk = { seconds: 186, reason: /^not answered within 185 s/ };
const noAck = { seconds: 38, reason: /never sent the ACK/ };
const died = /no media comes/;

/** What a running call does whose agent does nothing. */
function left(fault: Fault, sound: boolean): Outcome {
  if (sound) return "goes on";
  // Nobody says anything before the session timer: RFC 4028 10, shortly before 1800 s.
  if (!fault.noticed) return { seconds: 1805, reason: /session timer expired/ };
  // One 481 is enough; of silence three, each after 20 to 40 s and 4 s of waiting.
  return fault.silentMs !== undefined ? { seconds: 100, reason: died } : { seconds: 150, reason: died };
}

/** Our re-INVITE within the call: 481 ends it always, silence where no sound comes either. */
function asked(fault: Fault, sound: boolean): Outcome {
  if (fault.silentMs !== undefined) return { seconds: 33, reason: /481/ };
  return sound ? "goes on" : { seconds: 33, reason: silence };
}

function expected(place: string, act: Act, fault: Fault, sound: boolean): Outcome | undefined {
  const state = callPlaces[place]?.state;
  const dials = place.startsWith("from the agent");
  if (state === "ended") return undefined;
  if (act === "hang up") return place.includes("not reached") ? undefined : byAgent;
  if (act === "hold")
    return state === "established" && !/hold|ACK/.test(place) ? asked(fault, sound) : undefined;
  if (act === "answer") return !dials && state === "ringing" ? noAck : undefined;
  if (state === "answering") return noAck;
  // The ACK that was on its way when SIP Server died; without it the 200 is repeated in vain.
  if (place.includes("SIP Server's ACK is late")) return noAck;
  if (place.includes("our hold")) return asked(fault, sound);
  if (state === "established") return left(fault, sound);
  // Timer B; where SIP Server is back before that, see below.
  if (place.includes("silent so far"))
    return fault.silentMs === undefined ? { seconds: 33, reason: silence } : undefined;
  return noTalk;
}

const cases = Object.keys(callPlaces).flatMap((place) =>
  Object.entries(faults).flatMap(([fault, at]) =>
    (Object.keys(acts) as Act[]).flatMap((act) =>
      [true, false].flatMap((sound) => {
        const outcome = expected(place, act, at, sound);
        // Sound comes in answered calls only.
        const rings = callPlaces[place]?.state !== "established";
        return outcome === undefined || (sound && rings) ? [] : [{ place, fault, at, act, sound, outcome }];
      }),
    ),
  ),
);

const packetsOut = (call: WholeCall): number =>
  call.network.sent.filter(({ from }) => from === "192.0.2.20:5070").length;

describe("SIP Server is restarted and", () => {
  it.each(cases)("$fault; call $place; the agent does: $act; sound: $sound", async (the) => {
    const { place, at, act, sound, outcome } = the;
    const call = new WholeCall(callPlaces[place]?.options);
    call.trunk.terms = refreshing;
    await callPlaces[place]?.reach(call);
    if (sound) call.hear();
    const before = packetsOut(call);
    call.browser.user.told.length = 0;
    call.restartSipServer(at.silentMs);
    if (at.noticed) call.clock.setTimer(10_000, () => call.b2bua.serverDown(call.toTrunk));
    acts[act](call);
    const seconds = outcome === "goes on" ? 300 : outcome.seconds;
    await call.passWithSound(seconds * 1000, sound);
    // One INVITE or 200 in all its repeats, or four OPTIONS each half a minute.
    expect(packetsOut(call) - before).toBeLessThanOrEqual(14 + (seconds / 30) * 4);
    if (outcome === "goes on") {
      expect(call.b2bua.size).toBe(1);
      acts["hang up"](call);
      await call.pass(1000);
    } else {
      expect(call.records.map(({ reason }) => reason)).toEqual([expect.stringMatching(outcome.reason)]);
      if (act !== "hang up") expect(call.browser.user.told.at(-1)).toMatch(/^(failed|ended)/);
    }
    expect(call.standings.browser).toBe("over");
    expect(call.records).toHaveLength(1);
    call.network.drop = () => false;
    const { dialogs: _far, ...rest } = await call.leftovers();
    expect({ ...rest, dialogs: call.dispatcher.size }).toEqual(noLeftovers);
  });

  it.each([0, 5000, 25_000])(
    "is back after %i ms: an INVITE it has not answered becomes a call",
    async (ms) => {
      const call = new WholeCall();
      await call.dial("1003");
      call.restartSipServer(ms);
      await call.until(() => call.trunk.incoming !== undefined, 32_000);
      call.trunk.received.accept(genesysSdp());
      await call.pass();
      expect(call.standings).toMatchObject({ gateway: "established", sipServer: "established" });
    },
  );

  it("the page is told why its call is over", async () => {
    const call = new WholeCall();
    await callPlaces["to the agent, established"]?.reach(call);
    call.restartSipServer(25_000);
    call.b2bua.serverDown(call.toTrunk);
    await call.pass(100_000);
    expect(call.browser.user.told.at(-1)).toMatch(
      /^ended BYE .*cause=408.*SIP Server no longer knows the call/,
    );
  });
});
