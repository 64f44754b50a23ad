import { expect, it } from "vitest";
import { firstMode } from "../../../web/src/softphone/embed/mode.ts";

it("is audio-only where the address or the configuration says so, and the address cannot take that back", () => {
  expect(firstMode("phone", "")).toBe("phone");
  expect(firstMode("phone", "#mode=audio")).toBe("audio");
  expect(firstMode("phone", "#dn=5001&mode=audio")).toBe("audio");
  expect(firstMode("phone", "#mode=kiosk")).toBe("phone");
  expect(firstMode("audio", "#mode=phone")).toBe("audio");
});
