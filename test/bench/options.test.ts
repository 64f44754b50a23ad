import { describe, expect, it } from "vitest";
import { readRelayOptions } from "../../bench/support/relay-options.ts";
import { stagesNamed } from "../../bench/support/stages/stage.ts";

describe("options of bench:relay", () => {
  it("are read", () => {
    expect(readRelayOptions(["--calls", "30,20", "--codec", "pcmu", "--loss", "20"])).toMatchObject({
      levels: [20, 30],
      codecs: ["pcmu"],
      lossPercent: 20,
    });
  });

  it.each([["--codec", "mp3"], ["--calls", "some"], ["--seconds", "-1"], ["--loss", "80"], ["--what"]])(
    "are refused when they mean nothing: %s %s",
    (...args) => {
      expect(() => readRelayOptions(args)).toThrow(args[0]);
    },
  );
});

describe("--only of bench:stages", () => {
  const all = ["RTP parse", "replay check", "relay from browser", "relay from trunk"].map((name) => ({
    name,
    measure: () => 0,
  }));
  const named = (only: string): string[] => stagesNamed(only, all).map(({ name }) => name);

  it("measures only what it is asked for, and of the relay's stages all", () => {
    expect(named("replay")).toEqual(["replay check"]);
    expect(named("trunk")).toEqual(["relay from browser", "relay from trunk"]);
    expect(named("")).toHaveLength(4);
  });

  it("refuses what is no stage", () => {
    expect(() => named("nothing like it")).toThrow("no such stage");
  });
});
