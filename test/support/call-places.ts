import type { CallState } from "../../src/b2bua/call/call-state.ts";
import type { BenchOptions } from "./b2bua-bench.ts";
import { genesysSdp } from "./descriptions.ts";
import type { SideName } from "./hand-written.ts";
import { sessionOf, type WholeCall } from "./whole-call.ts";

/** What a side can know of its leg when the message comes. */
export type Phase = "none" | "early" | "confirmed" | "over";

export interface Place {
  readonly state: CallState;
  readonly phases: Readonly<Record<SideName, Phase>>;
  readonly options?: BenchOptions;
  readonly reach: (call: WholeCall) => Promise<void>;
}

const phases = (sipServer: Phase, browser: Phase): Place["phases"] => ({
  "SIP Server": sipServer,
  "the browser": browser,
});

async function ringing(call: WholeCall): Promise<void> {
  call.invite();
  await call.pass();
  call.browser.received.progress(180);
  await call.pass();
}

async function answered(call: WholeCall): Promise<void> {
  await ringing(call);
  call.browserAnswers();
  await call.pass();
}

async function dialled(call: WholeCall): Promise<void> {
  await call.dial("1003");
  call.trunk.received.progress(180);
  await call.pass();
}

async function dialledAnswered(call: WholeCall): Promise<void> {
  await dialled(call);
  call.browser.user.onAnsweredReceived = ({ cseq }) =>
    call.browser.outgoing?.session.acknowledge(cseq.sequence);
  call.trunk.received.accept(genesysSdp());
  await call.pass();
}

/** Every state a whole call can be in, from either direction, and how it comes there. */
export const callPlaces: Readonly<Record<string, Place>> = {
  "to the agent, the browser not reached yet": {
    state: "setting-up",
    phases: phases("none", "none"),
    async reach(call) {
      call.presence.waitForFlow = () =>
        new Promise((resolve) => call.clock.setTimer(4000, () => resolve(call.presence.flow)));
      call.invite();
      await call.pass();
    },
  },
  "to the agent, ringing": { state: "ringing", phases: phases("early", "early"), reach: ringing },
  "to the agent, answered by the client, not by the person": {
    state: "parked",
    options: { clients: [{ match: "*", answerBy: "preanswer" }] },
    phases: phases("early", "confirmed"),
    reach: answered,
  },
  "to the agent, SIP Server holds its ACK back": {
    state: "answering",
    phases: phases("confirmed", "confirmed"),
    async reach(call) {
      call.offerless = true;
      call.acknowledgeAfter(20_000);
      await answered(call);
    },
  },
  "to the agent, SIP Server's ACK is late": {
    state: "established",
    phases: phases("confirmed", "confirmed"),
    async reach(call) {
      call.acknowledgeAfter(3000);
      await answered(call);
    },
  },
  "to the agent, established": {
    state: "established",
    phases: phases("confirmed", "confirmed"),
    reach: answered,
  },
  "to the agent, our hold is on its way": {
    state: "established",
    phases: phases("confirmed", "confirmed"),
    async reach(call) {
      await answered(call);
      call.trunk.user.onOfferReceived = (_sdp, reply) =>
        call.clock.setTimer(2000, () => reply.accept(genesysSdp({ version: 2 })));
      sessionOf(call.trunk)?.request("NOTIFY", [["Event", "hold"]]);
      await call.pass();
    },
  },
  "to the agent, over by SIP Server's CANCEL": {
    state: "ended",
    phases: phases("over", "over"),
    async reach(call) {
      await ringing(call);
      call.trunk.outgoing?.cancel();
      await call.pass();
    },
  },
  "to the agent, over by the browser's BYE": {
    state: "ended",
    phases: phases("over", "over"),
    async reach(call) {
      await answered(call);
      sessionOf(call.browser)?.bye();
      await call.pass();
    },
  },
  "from the agent, SIP Server silent so far": {
    state: "setting-up",
    phases: phases("none", "none"),
    async reach(call) {
      await call.dial("1003");
    },
  },
  "from the agent, ringing": { state: "ringing", phases: phases("early", "early"), reach: dialled },
  "from the agent, early media": {
    state: "ringing",
    phases: phases("early", "early"),
    async reach(call) {
      await dialled(call);
      call.trunk.received.progress(183, genesysSdp());
      await call.pass();
    },
  },
  "from the agent, the browser's ACK is late": {
    state: "established",
    phases: phases("confirmed", "confirmed"),
    async reach(call) {
      await dialled(call);
      call.browser.user.onAnsweredReceived = ({ cseq }) => {
        const { outgoing } = call.browser;
        call.clock.setTimer(3000, () => outgoing?.session.acknowledge(cseq.sequence));
      };
      call.trunk.received.accept(genesysSdp());
      await call.pass();
    },
  },
  "from the agent, established": {
    state: "established",
    phases: phases("confirmed", "confirmed"),
    reach: dialledAnswered,
  },
  "from the agent, over by SIP Server's BYE": {
    state: "ended",
    phases: phases("over", "over"),
    async reach(call) {
      await dialledAnswered(call);
      sessionOf(call.trunk)?.bye();
      await call.pass();
    },
  },
};
