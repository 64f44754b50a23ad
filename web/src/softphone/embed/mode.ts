import type { Mode } from "../../../sdk/protocol.ts";

/**
 * The mode the page begins in: as the gateway's configuration says; else as the page's address says (`#mode=audio`).
 * Where the configuration says audio-only, nothing else makes a whole phone of it.
 */
export function firstMode(configured: Mode, hash: string): Mode {
  const asked = new URLSearchParams(hash.replace(/^#/, "")).get("mode");
  return configured === "audio" || asked === "audio" ? "audio" : "phone";
}
