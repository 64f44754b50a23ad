import { afterAll, beforeAll, expect, it } from "vitest";
import { framesOf } from "../support/browser-media.ts";
import { toCodes, voice } from "../support/sound.ts";
import { Lab } from "./support/lab.ts";
import { after, paced, RtpPhone, until } from "./support/rtp-phone.ts";

let lab: Lab;
let [first, second]: RtpPhone[] = [];
beforeAll(async () => {
  lab = await Lab.open({ media: { browserCodecs: ["pcmu"] } });
  [first, second] = [await RtpPhone.open(), await RtpPhone.open()];
});
afterAll(async () => {
  await lab.close();
  await Promise.all([first?.close(), second?.close()]);
});

it("REFER with Replaces, with SIPp as SIP Server: the DN calls the target, whose leg the call's sound goes to", async () => {
  const sound = framesOf(toCodes(voice(1), "pcmu"));
  const browser = await lab.agent("5061", { answerOnTalkMs: 0 });
  const target = await lab.sipp("refer-target", { rtp1: second?.port ?? 0 });
  lab.front.phones.set("70061", target.port);
  const server = await lab.sipp("refer", { dn: "5061", rtp1: first?.port ?? 0, target: "70061" });
  await target.judge(async () => {
    const call = await browser.nextCall();
    await call.connected;
    await server.success();
    await paced(sound.length, (index) => call.media.sendFrame(sound[index] ?? Buffer.alloc(0)));
    await after(50);
    call.hangUp();
  });
  const heard = Buffer.concat(
    (second?.heard ?? []).filter(({ payloadType }) => payloadType === 0).map(({ payload }) => payload),
  );
  expect(heard.includes(Buffer.concat(sound.slice(5, -5)))).toBe(true);
  await until("record", () => lab.records.length > 0);
  expect(lab.records).toMatchObject([
    {
      dn: "5061",
      farNumber: "1003",
      transferredTo: "70061",
      callUuid: "UIVB8J6JE91C53UIM3VI59VHQ4000016",
      endedBy: "agent",
    },
  ]);
  expect(lab.records[0]?.trunkLeg.formerCallIds).toHaveLength(1);
});
