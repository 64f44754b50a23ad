import { beforeEach, describe, expect, it } from "vitest";
import type { SoundChoices } from "../../web/src/softphone/sound/choices.ts";
import type { DeviceNews } from "../../web/src/softphone/sound/problems.ts";
import { WorkspacePolicy } from "../../web/src/softphone/workspace-policy.ts";
import { PhoneBench, settled } from "./phone/support/bench.ts";

const GONE: DeviceNews = { use: "microphone", change: "gone", label: "Headset", now: "Laptop", none: false };
let bench: PhoneBench;
let policy: WorkspacePolicy;
let applied: Partial<SoundChoices>[];
let device: (news: DeviceNews) => void;
let lost: number;

beforeEach(() => {
  bench = new PhoneBench();
  applied = [];
  lost = 0;
  const sound = {
    settings: { apply: (defaults: Partial<SoundChoices>) => void applied.push(defaults) },
    onDevice: (listener: (news: DeviceNews) => void) => {
      device = listener;
      return () => undefined;
    },
  };
  policy = new WorkspacePolicy({ phone: bench.phone, sound, told: () => undefined });
  policy.onHeadsetLost(() => lost++);
});

describe("Workspace's options", () => {
  it("are defaults for sound", () => {
    policy.apply({ "policy.session.agc_mode": "0" });
    expect(applied).toEqual([{ autoGainControl: false }]);
  });

  it("have a call answered by itself, but none beside another", async () => {
    policy.apply({ "policy.session.auto_answer": "1" });
    const line = bench.signIn();
    const first = line.ring("1003");
    await settled();
    expect(first.done).toEqual(["answer"]);
    const second = line.ring("1004");
    await settled();
    expect(second.done).toEqual([]);
  });

  it.each([{}, { "policy.session.auto_answer": "0" }])("of %j answer none", async (options) => {
    policy.apply(options);
    const session = bench.signIn().ring("1003");
    await settled();
    expect(session.done).toEqual([]);
  });

  it("leave talk to SIP Server", async () => {
    policy.apply({ "policy.session.auto_answer": "0" });
    const line = bench.signIn();
    const session = line.ring("1003");
    line.owner.event({ kind: "talk", callId: "call-1" });
    await settled();
    expect(session.done).toEqual(["answer"]);
  });

  it("tell that the microphone is lost, where they ask for it, and of no other device", () => {
    device(GONE);
    expect(lost).toBe(0);
    policy.apply({ "headset-unplugged-set-not-ready": "true" });
    policy.apply({ "policy.session.agc_mode": "1" });
    device({ ...GONE, use: "ring" });
    device({ ...GONE, change: "back" });
    expect(lost).toBe(0);
    device(GONE);
    expect(lost).toBe(1);
  });
});
