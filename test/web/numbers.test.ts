import { describe, expect, it } from "vitest";
import { askedNumber, plainNumber, withNumbers } from "../../web/src/softphone/phone/numbers.ts";

describe("numbers in text", () => {
  const found = (text: string): (string | undefined)[] =>
    withNumbers(text).flatMap(({ number }) => (number === undefined ? [] : [number]));

  it.each([
    ["<sip:1003@example.com>;reason=busy", "1003"],
    ["<tel:+49-30-123>", "+4930123"],
    ["Ann Lee (1003)", "1003"],
    ["call back at +49301234567 please", "+49301234567"],
    ["0228 555-12", "022855512"],
  ])("are found in %s", (text, number) => {
    expect(found(text)).toEqual([number]);
    expect(
      withNumbers(text)
        .map((piece) => piece.text)
        .join(""),
    ).toBe(text);
  });

  it.each(["0ABC12345DEF", "Sales 2", "12345678901234567890", "2026-11-21T10:00:00Z", "", "x".repeat(5000)])(
    "are not seen in %s",
    (text) => expect(found(text)).toEqual([]),
  );

  it("lose what people write them with, and letters stay", () => {
    expect(plainNumber("+49 (30) 12.34/5-6")).toBe("+4930123456");
    expect(plainNumber("john.doe")).toBe("john.doe");
  });
});

describe("the page's address", () => {
  it.each([
    ["#dial=1003", "1003"],
    ["#dial=tel:+49-30-123;ext=4", "+4930123"],
    ["#dial=tel%3A%2B49301", "+49301"],
    ["#dial=*31%23", "*31#"],
  ])("%s asks for %s", (hash, number) => expect(askedNumber(hash)).toBe(number));

  it.each(["", "#dial=", "#other=1", "#dial=<script>", `#dial=${"1".repeat(70)}`, "#dial=%E0%A4%A"])(
    "%s asks for nothing",
    (hash) => expect(askedNumber(hash)).toBeUndefined(),
  );
});
