import { describe, expect, it, vi } from "vitest";
import { soundChoices, SoundSettings } from "../../../web/src/softphone/sound/choices.ts";

function storage(kept = new Map<string, string>()): Storage {
  return {
    length: 0,
    clear: () => kept.clear(),
    key: () => null,
    getItem: (key) => kept.get(key) ?? null,
    removeItem: (key) => void kept.delete(key),
    setItem: (key, value) => void kept.set(key, value),
  };
}

const headset = { id: "h", label: "Headset" };

describe("choices of sound", () => {
  it("are the person's before the embedding page's before the built-in ones", () => {
    const settings = new SoundSettings(() => storage());
    expect(settings.value).toMatchObject({ noiseSuppression: true, speakerVolume: 1 });
    settings.apply({ noiseSuppression: false, speakerVolume: 0.5 });
    settings.choose({ speakerVolume: 0.8 });
    settings.apply({ speakerVolume: 0.2, echoCancellation: false });
    expect(settings.value).toMatchObject({
      noiseSuppression: false,
      echoCancellation: false,
      speakerVolume: 0.8,
    });
    settings.reset();
    expect(settings.value.speakerVolume).toBe(0.2);
  });

  it("of the person outlive the page, those of the embedding page do not", () => {
    const kept = storage();
    const settings = new SoundSettings(() => kept);
    settings.choose({ microphone: headset });
    settings.apply({ autoGainControl: false });
    const next = new SoundSettings(() => kept);
    expect(next.value).toMatchObject({ microphone: headset, autoGainControl: true });
  });

  it("are told to whoever listens, until he does no more", () => {
    const settings = new SoundSettings(() => storage());
    const heard = vi.fn();
    const end = settings.onChange(heard);
    settings.choose({ ringVolume: 0.5 });
    settings.apply({ ringVolume: 0.4 });
    end();
    settings.choose({ ringVolume: 0.3 });
    expect(heard).toHaveBeenCalledTimes(2);
  });

  it("hold while the page is open where the browser keeps nothing", () => {
    const settings = new SoundSettings(() => {
      throw new DOMException("blocked", "SecurityError");
    });
    settings.choose({ ringVolume: 0 });
    expect(settings.value.ringVolume).toBe(0);
  });

  it("that make no sense are left out", () => {
    expect(
      soundChoices({
        microphone: "Headset",
        speaker: { id: 1 },
        ring: { label: "Desk" },
        echoCancellation: "yes",
        speakerVolume: 7,
        ringVolume: Number.NaN,
        password: "secret",
      }),
    ).toEqual({ ring: { id: "", label: "Desk" }, speakerVolume: 1 });
    expect(soundChoices({ speaker: { id: "x".repeat(501) } })).toEqual({});
    for (const none of [null, undefined, 3, "x", []]) expect(soundChoices(none)).toEqual({});
    const broken = storage(new Map([["jackfield.sound", "{"]]));
    expect(new SoundSettings(() => broken).value.speakerVolume).toBe(1);
  });
});
