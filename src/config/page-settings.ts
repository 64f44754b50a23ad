import { gwsPageSettings, type GwsPageSettings } from "./gws-page.ts";
import type { Config } from "./types.ts";

/**
 * What `GET /settings.json` tells the softphone page before anybody has signed in, and with it everybody: nothing that
 * opens anything may stand here. Keys as in the file, in snake_case.
 */
export interface PageSettings {
  readonly mode: "phone" | "audio";
  /** Path of the WebSocket at the page's own origin. */
  readonly web_socket_path: string;
  /** By Workspace's own names. */
  readonly workspace_options: Readonly<Record<string, string | number | boolean>>;
  readonly embedding: { readonly origins: readonly string[] };
  readonly sign_in: {
    /** Whether the page may take a password from its address. */
    readonly password_in_url: boolean;
  };
  readonly gws: GwsPageSettings | null;
}

/** Picks each value by name: what is added to the configuration is told to nobody until it is named here. */
export function pageSettings(config: Config): PageSettings {
  const { page, websocket } = config;
  return {
    mode: page.mode,
    web_socket_path: websocket.path,
    workspace_options: page.workspaceOptions,
    embedding: { origins: page.embedding.origins },
    sign_in: { password_in_url: page.allowPasswordInUrl },
    gws: gwsPageSettings(config),
  };
}
