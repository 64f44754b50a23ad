import { describe, expect, it } from "vitest";
import { answerDirection, intersectDirections, reverseDirection } from "../../../src/b2bua/sdp/index.ts";
import type { Direction } from "../../../src/media/index.ts";
import { directions } from "./fixtures.ts";

/** RFC 3264 6.1, written out: offered (row) x wanted (column) -> answered. */
const table: Record<Direction, Record<Direction, Direction>> = {
  sendrecv: { sendrecv: "sendrecv", sendonly: "sendonly", recvonly: "recvonly", inactive: "inactive" },
  sendonly: { sendrecv: "recvonly", sendonly: "inactive", recvonly: "recvonly", inactive: "inactive" },
  recvonly: { sendrecv: "sendonly", sendonly: "sendonly", recvonly: "inactive", inactive: "inactive" },
  inactive: { sendrecv: "inactive", sendonly: "inactive", recvonly: "inactive", inactive: "inactive" },
};

describe("direction of an answer (RFC 3264 6.1)", () => {
  for (const offered of directions)
    for (const wanted of directions)
      it(`answers ${offered} with ${table[offered][wanted]} when ${wanted} is wanted`, () => {
        expect(answerDirection(offered, wanted)).toBe(table[offered][wanted]);
      });

  it("reverses only the one-way directions", () => {
    expect(directions.map(reverseDirection)).toEqual(["sendrecv", "recvonly", "sendonly", "inactive"]);
  });

  it("gives what both allow", () => {
    expect(intersectDirections("sendonly", "recvonly")).toBe("inactive");
    expect(intersectDirections("sendrecv", "recvonly")).toBe("recvonly");
    expect(intersectDirections("sendonly", "sendrecv")).toBe("sendonly");
  });
});
