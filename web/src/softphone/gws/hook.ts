import { member } from "../../shared/json.ts";
import type { Softphone } from "../softphone.ts";
import type { WorkspacePolicy } from "../workspace-policy.ts";
import { readGwsSettings } from "./settings.ts";

/** GWS, where the gateway has it configured; else nothing of it is even loaded. @param settings of settings.json */
export function hookGws(softphone: Softphone, settings: unknown, policy: WorkspacePolicy): void {
  const gws = readGwsSettings(member(settings, "gws"));
  if (gws === undefined) return;
  import("./open.tsx").then(
    ({ openGws }) => openGws(softphone, gws, policy),
    () =>
      softphone.notices.tell("The Genesys part of this page could not be loaded. Load the page again.", true),
  );
}
