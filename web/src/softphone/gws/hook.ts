import type { Softphone } from "../softphone.ts";
import { readGwsSettings } from "./settings.ts";

/** GWS, where the gateway has it configured; else nothing of it is even loaded. @param settings of settings.json */
export async function hookGws(softphone: Softphone, settings: unknown): Promise<void> {
  const gws = readGwsSettings(
    typeof settings === "object" && settings !== null && Reflect.get(settings, "gws"),
  );
  if (gws === undefined) return;
  const { openGws } = await import("./open.tsx");
  openGws(softphone, gws);
}
