import { goesInTheClear } from "../loopback.ts";
import type { Rule } from "./rule.ts";

export const gwsRule: Rule = {
  needs: ["http", "gws"],
  check({ http, gws }, say) {
    if (gws.url === undefined) return;
    if (!goesInTheClear(gws.url)) return;
    if (http.tls !== undefined)
      say.fault(
        ["gws", "url"],
        "is plain HTTP, which browsers refuse to a page that came by HTTPS",
        "write the https:// address of GWS",
      );
    else if (gws.allowInsecure)
      say.warn(["gws", "allowInsecure"], "sends agents' GWS passwords in the clear", "use https://");
    else
      say.fault(
        ["gws", "url"],
        "is plain HTTP: agents' GWS passwords would travel in the clear",
        "write the https:// address of GWS, or gws.allowInsecure: true",
      );
  },
};

export const spansRule: Rule = {
  needs: ["openTelemetry", "trace"],
  check({ openTelemetry, trace }, say) {
    const { endpoint, headers, headersFile } = openTelemetry;
    if (endpoint === undefined) return;
    if (trace.calls === 0)
      say.fault(
        ["openTelemetry", "endpoint"],
        "needs the traces of calls, and trace.calls is 0",
        "write trace.calls: 500, more where more calls run at a time",
      );
    const withKey = Object.keys(headers).length > 0 || headersFile !== undefined;
    if (withKey && goesInTheClear(endpoint))
      say.warn(
        ["openTelemetry", "endpoint"],
        "is plain HTTP: the headers travel in the clear",
        "use https://",
      );
  },
};
