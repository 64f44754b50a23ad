import { expectTypeOf, it } from "vitest";
import type { ShownBan } from "../../../src/admin/index.ts";
import type * as gateway from "../../../src/admin/status/contract.ts";
import type * as page from "../../../web/src/dashboard/api/contract.ts";

// The page is built apart from the gateway, so the JSON between them is described twice. `npm run typecheck` fails where the
// two part.
it("the dashboard reads each part of the live status as the gateway writes it", () => {
  expectTypeOf<gateway.GatewayStatus>().toExtend<page.Gateway>();
  expectTypeOf<gateway.AgentStatus>().toExtend<page.Agent>();
  expectTypeOf<gateway.CallStatus>().toExtend<page.Call>();
  expectTypeOf<gateway.ServerStatus>().toExtend<page.SipServer>();
  expectTypeOf<gateway.WorkerStatus>().toExtend<page.Worker>();
  expectTypeOf<gateway.Failure>().toExtend<page.Failure>();
  expectTypeOf<gateway.Audit>().toExtend<page.AuditEntry>();
  expectTypeOf<ShownBan>().toExtend<page.Ban>();
  expectTypeOf<gateway.Sample>().toExtend<page.Sample>();
});
