import type { Mode } from "../../sdk/protocol.ts";
import { list, member, record, textOf } from "../shared/json.ts";

/** What the gateway tells the page before anybody signs in (`GET /settings.json`), each part as its reader takes it. */
export type PageSettings = Readonly<Record<string, unknown>>;

/** The page waits for the answer before it shows anything, but not for ever. */
const PATIENCE_MS = 3000;

/** Whoever configured another page than the plain phone must not wonder where it is. */
export const SETTINGS_MISSING =
  "The gateway did not say how this page is set up: it may lack its frame, its desktop, or have keys it should not. Reload the page.";

/** Undefined where it cannot be had: the page is a whole phone then that nobody embeds. */
export async function loadSettings(): Promise<PageSettings | undefined> {
  try {
    const response = await fetch("settings.json", { signal: AbortSignal.timeout(PATIENCE_MS) });
    return response.ok ? record(await response.json()) : undefined;
  } catch {
    return undefined;
  }
}

export function configuredMode({ mode }: PageSettings): Mode {
  return mode === "audio" ? "audio" : "phone";
}

/** Path of SIP over WebSocket at the page's own origin. */
export function webSocketPath(settings: PageSettings): string {
  return textOf(settings, "web_socket_path") || "/ws";
}

/** Whether the page's address may hold a password (`page.allowPasswordInUrl`). */
export function passwordInUrl({ sign_in }: PageSettings): boolean {
  return member(sign_in, "password_in_url") === true;
}

/** Origins besides the page's own that may show it in a frame and speak to it. */
export function embeddingOrigins({ embedding }: PageSettings): readonly string[] {
  return list(member(embedding, "origins")).filter((one) => typeof one === "string");
}

/** Options by the names that Workspace gives its SIP endpoint. */
export function workspaceOptions({ workspace_options }: PageSettings): Readonly<Record<string, unknown>> {
  return record(workspace_options);
}
