import { describe, expect, it } from "vitest";
import { actOf, SHORTCUTS, toneOfKey, type Key } from "../../web/src/softphone/keyboard.ts";

const press = (change: Partial<Key>): Key => ({
  key: "",
  code: "",
  altKey: true,
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  repeat: false,
  ...change,
});

describe("keys", () => {
  it("act with Alt, by letter where the layout says one, and by place for digits", () => {
    expect(actOf(press({ key: "a", code: "KeyQ" }), false, false)).toBe("answer");
    expect(actOf(press({ key: "q", code: "KeyA" }), false, false)).toBeUndefined();
    expect(actOf(press({ key: "&", code: "Digit1" }), false, false)).toBe("line-1");
    expect(actOf(press({ key: "/", code: "Slash" }), false, false)).toBe("help");
  });

  it("act while somebody types, but not where Option types characters", () => {
    expect(actOf(press({ key: "m", code: "KeyM" }), true, false)).toBe("mute");
    expect(actOf(press({ key: "µ", code: "KeyM" }), false, true)).toBe("mute");
    expect(actOf(press({ key: "µ", code: "KeyM" }), true, true)).toBeUndefined();
  });

  it("leave alone what is pressed without Alt, with AltGr, with another modifier, or held down", () => {
    const others: Partial<Key>[] = [
      { altKey: false },
      { ctrlKey: true },
      { metaKey: true },
      { repeat: true },
      { shiftKey: true },
    ];
    for (const other of others)
      expect(actOf(press({ key: "a", code: "KeyA", ...other }), false, false)).toBeUndefined();
  });

  it("are each listed once", () => {
    expect(new Set(SHORTCUTS.map(({ key }) => key)).size).toBe(SHORTCUTS.length);
    expect(new Set(SHORTCUTS.map(({ act }) => act)).size).toBe(SHORTCUTS.length);
  });

  it("are tones without a modifier", () => {
    expect(["5", "*", "#"].map((key) => toneOfKey(press({ key, altKey: false })))).toEqual(["5", "*", "#"]);
    expect(toneOfKey(press({ key: "5" }))).toBeUndefined();
    expect(toneOfKey(press({ key: "a", altKey: false }))).toBeUndefined();
  });
});
