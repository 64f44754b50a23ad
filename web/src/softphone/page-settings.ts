import type { Mode } from "../../sdk/protocol.ts";

/** What the gateway tells the page before anybody signs in (`GET /settings.json`), each part as its reader takes it. */
export type PageSettings = Readonly<Record<string, unknown>>;

/** Nothing where it cannot be had: the page is a whole phone then that nobody embeds. */
export async function loadSettings(): Promise<PageSettings> {
  try {
    const response = await fetch("settings.json");
    const settings: unknown = response.ok ? await response.json() : {};
    return isRecord(settings) ? settings : {};
  } catch {
    return {};
  }
}

export function configuredMode({ mode }: PageSettings): Mode {
  return mode === "audio" ? "audio" : "phone";
}

/** Origins besides the page's own that may show it in a frame and speak to it. */
export function embeddingOrigins({ embedding }: PageSettings): readonly string[] {
  const origins = isRecord(embedding) ? embedding["origins"] : undefined;
  return Array.isArray(origins) ? origins.filter((one) => typeof one === "string") : [];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
