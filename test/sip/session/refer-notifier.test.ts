import { expect, it } from "vitest";
import { ReferNotifier } from "../../../src/sip/session/refer-notifier.ts";

it("tells how a REFER's call went in a phrase that JsSIP reads, whatever the far side said", () => {
  const bodies: string[] = [];
  const notifier = new ReferNotifier("refer", (_headers, body) => void bodies.push(body), true);
  notifier.notify(180, "Rïnging [::1]");
  notifier.notify(404, 'no "5009" <here>\r\nVia: x');
  expect(bodies).toEqual(["SIP/2.0 180 R nging '::1'\r\n", "SIP/2.0 404 no '5009' 'here'  Via: x\r\n"]);
});
