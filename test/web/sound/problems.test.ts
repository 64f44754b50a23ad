import { describe, expect, it } from "vitest";
import { meterLevel } from "../../../web/src/softphone/sound/meter.ts";
import {
  microphoneProblem,
  newsText,
  placeProblem,
  type DeviceNews,
} from "../../../web/src/softphone/sound/problems.ts";

const here = { origin: "http://desk:8080", secure: true, embedded: false, allowed: undefined };

function error(name: string, message = ""): Error {
  return Object.assign(new Error(message), { name });
}

const pulled: DeviceNews = {
  use: "microphone",
  change: "gone",
  label: "Headset",
  now: "Built-in",
  none: false,
};

describe("why there is no microphone", () => {
  it("is told of a page that is not secure, with the way out", () => {
    expect(placeProblem(here)).toBeUndefined();
    expect(placeProblem({ ...here, secure: false })).toMatchObject({
      what: expect.stringContaining("http://desk:8080 is not one"),
      remedy: expect.stringContaining("https://"),
    });
    expect(placeProblem({ ...here, secure: false, embedded: true })?.remedy).toContain("the one around it");
  });

  it("is told of a frame that was not allowed it", () => {
    expect(placeProblem({ ...here, embedded: true, allowed: false })?.remedy).toContain('allow="microphone');
    expect(placeProblem({ ...here, embedded: true, allowed: true })).toBeUndefined();
  });

  it.each([
    [error("NotAllowedError", "Permission denied"), "blocked for this page"],
    [error("NotAllowedError", "Permission denied by system"), "privacy settings"],
    [error("NotAllowedError", "Permission dismissed"), "without an answer"],
    [error("SecurityError"), "do not allow"],
    [error("NotFoundError"), "no microphone"],
    [error("NotReadableError", "Could not start audio source"), "cannot be used"],
    [error("TypeError"), "cannot be used (TypeError)"],
    ["odd", "cannot be used (odd)"],
  ])("is told of %s, with a remedy", (thrown, words) => {
    expect(microphoneProblem(thrown).what).toContain(words);
    expect(microphoneProblem(thrown).remedy).not.toBe("");
  });
});

describe("what happened to a device", () => {
  it("is told once of a headset that is microphone and speaker", () => {
    const news = [pulled, { ...pulled, use: "speaker", now: "Loudspeaker" } as const];
    expect(newsText(news)).toEqual({
      what: "Headset was pulled out: the microphone is now Built-in, the speaker is now Loudspeaker.",
      remedy: "Plug it in to go back to it.",
    });
    const back = news.map((one) => ({ ...one, change: "back" as const }));
    expect(newsText(back)).toEqual({ what: "Headset is back as microphone and speaker.", remedy: "" });
  });

  it("is told once of a device that takes the place for several uses, and without the numbers that Chrome adds", () => {
    const speaker = {
      ...pulled,
      use: "speaker",
      label: "Jabra (0b0e:24c9)",
      now: "Desk (046d:082d)",
    } as const;
    expect(newsText([speaker, { ...speaker, use: "ring" }]).what).toBe(
      "Jabra was pulled out: the speaker and the ring device are now Desk.",
    );
  });

  it("is told with what it means where no other device is there", () => {
    expect(newsText([{ ...pulled, now: "", none: true }]).what).toBe(
      "Headset was pulled out: there is no other microphone, so nobody can hear you.",
    );
  });

  it("is told without names where the browser tells none", () => {
    expect(newsText([{ ...pulled, label: "", now: "" }]).what).toBe(
      "The microphone was pulled out: the microphone is now the system's default.",
    );
    expect(newsText([{ ...pulled, change: "changed" }]).what).toBe("The microphone is now Built-in.");
    expect(newsText([{ ...pulled, change: "missing" }]).what).toMatch(/^Headset is not plugged in: /);
  });
});

describe("the meter", () => {
  it("stands at nothing for silence, at the top for the loudest sound, and between by decibels", () => {
    const steady = (value: number): Float32Array => new Float32Array(1024).fill(value);
    expect(meterLevel(steady(0))).toBe(0);
    expect(meterLevel(new Float32Array(0))).toBe(0);
    expect(meterLevel(steady(0.0005))).toBe(0);
    expect(meterLevel(steady(1))).toBe(1);
    expect(meterLevel(steady(0.1))).toBeCloseTo(2 / 3, 5);
  });
});
