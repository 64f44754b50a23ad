import { describe, expect, it } from "vitest";
import { configOf, minimal, told } from "./support.ts";

const withMedia = (media: string): string =>
  minimal.replace("media: { advertisedAddress: 203.0.113.10 }", `media: ${media}`);
const sidesOf = (media: string) => {
  const { browserSide, sipServerSide, advertisedAddress } = configOf(withMedia(media)).media;
  return { browserSide, sipServerSide, advertisedAddress };
};

describe("the media's two sides", () => {
  it("are alike unless told otherwise", () => {
    const both = { host: "0.0.0.0", advertisedAddresses: ["203.0.113.10"] };
    expect(sidesOf("{ advertisedAddress: 203.0.113.10 }")).toEqual({
      advertisedAddress: "203.0.113.10",
      browserSide: both,
      sipServerSide: both,
    });
  });

  it("have each its own address where it has one; who binds an address advertises it", () => {
    expect(
      sidesOf(
        "{ advertisedAddress: 203.0.113.10, browserSide: { host: 10.1.0.5, advertisedAddress: [10.1.0.5, 203.0.113.10] }, sipServerSide: { host: 10.2.0.5 } }",
      ),
    ).toEqual({
      advertisedAddress: "10.1.0.5",
      browserSide: { host: "10.1.0.5", advertisedAddresses: ["10.1.0.5", "203.0.113.10"] },
      sipServerSide: { host: "10.2.0.5", advertisedAddresses: ["10.2.0.5"] },
    });
  });

  it("take media.advertisedAddress where a side binds any address", () => {
    const { browserSide, sipServerSide } = sidesOf(
      "{ advertisedAddress: 203.0.113.10, browserSide: { host: 0.0.0.0 }, sipServerSide: { advertisedAddress: 10.2.0.5 } }",
    );
    expect(browserSide.advertisedAddresses).toEqual(["203.0.113.10"]);
    expect(sipServerSide).toEqual({ host: "0.0.0.0", advertisedAddresses: ["10.2.0.5"] });
  });

  it("need an address each, said once where both lack it", () => {
    expect(told(withMedia("{}"))).toEqual([
      "media.advertisedAddress is missing, and media.host 0.0.0.0 is no address",
    ]);
    expect(told(withMedia("{ browserSide: { host: 10.1.0.5 } }"))).toEqual([
      "media.advertisedAddress is missing, and media.host 0.0.0.0 is no address",
    ]);
    expect(told(withMedia("{ sipServerSide: { host: 10.1.0.5 } }"))).toHaveLength(1);
    expect(
      told(withMedia("{ host: 10.1.0.5, browserSide: { advertisedAddress: [10.1.0.5, 0.0.0.0] } }")),
    ).toEqual(["media.browserSide.advertisedAddress is no address others can reach"]);
    expect(
      told(withMedia("{ host: 10.1.0.5, browserSide: { advertisedAddress: [10.1.0.5, 10.1.0.5] } }")),
    ).toEqual(["media.browserSide.advertisedAddress names an address twice"]);
  });

  it("may share ports where they bind different addresses", () => {
    const same = "browserPort: 10000, rtpPorts: [10000, 10999], workers: 1";
    const apart = `{ ${same}, browserSide: { host: 10.1.0.5 }, sipServerSide: { host: 10.2.0.5 } }`;
    expect(sidesOf(apart).browserSide.host).toBe("10.1.0.5");
    expect(told(withMedia(`{ ${same}, advertisedAddress: 203.0.113.10 }`)).join()).toContain("overlaps");
    const met = `{ ${same}, host: 10.1.0.5, sipServerSide: { host: 10.1.0.5 } }`;
    expect(told(withMedia(met)).join()).toContain("overlaps");
  });
});
