import { describe, expect, it } from "vitest";
import {
  checkedNameAddress,
  checkedUri,
  grammarCounts,
  parseNameAddress,
  parseUri,
} from "../../../src/sip/message/index.ts";
import { bytes, request } from "./support.ts";

/** How the counts change while `work` runs. */
function counting(work: () => void): typeof grammarCounts {
  const before = { ...grammarCounts };
  work();
  return {
    asked: grammarCounts.asked - before.asked,
    refused: grammarCounts.refused - before.refused,
    differed: grammarCounts.differed - before.differed,
  };
}

// Counts and cache are the process's: the values here are met in no other file.
describe("values checked by sip.js's grammar", () => {
  it.each([
    "<sip:grammar@b>",
    '"Quoted \\"x\\" \\\\" <sip:a%20b@Host.Example:5070;transport=WS;lr?X=1>;q=0.5;+sip.instance="<urn:uuid:1>"',
    '"" <sips:a@[::1]:5061>;expires=3',
    "Two Words <sip:grammar@192.0.2.1>;x",
  ])("%s reads the same as by our splitter", (raw) => {
    expect(counting(() => expect(checkedNameAddress(raw)).toEqual(parseNameAddress(raw)))).toEqual({
      asked: 1,
      refused: 0,
      differed: 0,
    });
  });

  it.each(["sip:grammar@192.0.2.20:5070", "sips:a%3Ab@Host;Transport=TCP;x=%41", "SIP:grammar"])(
    "%s reads the same as by our splitter",
    (raw) => {
      const counts = counting(() => expect(checkedUri(raw)).toEqual(parseUri(raw)));
      expect(counts).toEqual({ asked: 1, refused: 0, differed: 0 });
    },
  );

  it("each distinct value goes through once", () => {
    const counts = counting(() => {
      for (let round = 0; round < 50; round++) {
        const message = request(
          bytes({ start: "OPTIONS sip:once@b SIP/2.0", x: "Contact: <sip:once@c>, <sip:once@d>" }),
        );
        expect(message.uri.user).toBe("once");
        expect(message.contacts).toHaveLength(2);
      }
    });
    expect(counts.asked).toBe(3);
  });

  it("is not asked before a value is used", () => {
    const counts = counting(() => {
      const message = request(bytes({ start: "OPTIONS sip:unused@b SIP/2.0", x: "Contact: <sip:unused@c>" }));
      expect([message.from.uri.user, message.to.uri.user, message.topVia.host]).toEqual([
        "1003",
        "5001",
        "192.0.2.10",
      ]);
    });
    expect(counts.asked).toBe(0);
  });

  it.each(['"é" <sip:müller@b>', "<sip:a@windows_host>", "Grüße <sip:x@y>"])(
    "%s is refused by it, and our result stands",
    (raw) => {
      const counts = counting(() => expect(checkedNameAddress(raw)).toEqual(parseNameAddress(raw)));
      expect(counts).toMatchObject({ asked: 1, refused: 1 });
      expect(checkedNameAddress(raw)).toBeDefined();
    },
  );

  it.each(["*", "<tel:+49301>", "sip:bare@b;expires=3", "<urn:service:sos>", "isbn:298"])(
    "%s is not its business",
    (raw) => {
      expect(counting(() => expect(checkedNameAddress(raw)).toEqual(parseNameAddress(raw))).asked).toBe(0);
    },
  );

  it("tel: as request URI stands", () => {
    expect(counting(() => expect(checkedUri("tel:+4930")?.scheme).toBe("tel")).asked).toBe(0);
  });

  it("what our splitter refuses never gets there", () => {
    const counts = counting(() => {
      expect(checkedNameAddress("nonsense")).toBeUndefined();
      expect(checkedUri("sip:a b")).toBeUndefined();
    });
    expect(counts.asked).toBe(0);
  });

  it("long values and the fifth contact never get there", () => {
    const long = `<sip:${"a".repeat(260)}@b>`;
    expect(counting(() => expect(checkedNameAddress(long)?.uri.host).toBe("b")).asked).toBe(0);
    expect(counting(() => expect(checkedUri(long.slice(1, -1))?.host).toBe("b")).asked).toBe(0);
    const many = Array.from({ length: 40 }, (_, index) => `<sip:many${index}@b>`).join(", ");
    const counts = counting(() =>
      expect(request(bytes({ x: `Contact: ${many}` })).contacts).toHaveLength(40),
    );
    expect(counts.asked).toBe(4);
  });

  it("forgets the oldest of many values", () => {
    checkedUri("sip:first@b");
    const counts = counting(() => {
      for (let index = 0; index < 4096; index++) checkedUri(`sip:fill${index}@b`);
    });
    expect(counts.asked).toBe(4096);
    expect(counting(() => checkedUri("sip:fill4095@b")).asked).toBe(0);
    expect(counting(() => checkedUri("sip:first@b")).asked).toBe(1);
  });
});
