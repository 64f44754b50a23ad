import type { ParsedConfig } from "../schema.ts";
import type { Rule } from "./rule.ts";

export const captureRule: Rule = {
  needs: ["media", "admin"],
  check({ media, admin }, say) {
    if (media.captureDirectory !== undefined && isOff(admin))
      say.warn(
        ["media", "captureDirectory"],
        "is of no use: captures are asked for by the admin API, which has neither token nor user",
        "write admin.token or admin.users, or take this key out",
      );
  },
};

export const tokensRule: Rule = {
  needs: ["agents", "admin", "wrtc"],
  check({ agents, admin, wrtc }, say) {
    const { jwt, tokens } = agents;
    if (tokens.keyFile !== undefined && isOff(admin) && !jwt && !wrtc.enabled)
      say.warn(
        ["agents", "tokens", "keyFile"],
        "is of no use: tokens are issued by the admin API, which has neither token nor user",
        "write admin.token or admin.users, or take this key out",
      );
    if (jwt && tokens.keyFile === undefined && admin.token === undefined && admin.tokenFile === undefined)
      say.fault(
        ["agents", "jwt"],
        "needs a secret to make sessions from",
        "write agents.tokens.keyFile (openssl rand -hex 32)",
      );
  },
};

export const wrtcRule: Rule = {
  needs: ["wrtc", "agents", "admin"],
  check({ wrtc, agents, admin }, say) {
    if (!wrtc.enabled) return;
    const { token, tokenFile } = admin;
    if (wrtc.allowAnonymous)
      say.warn(
        ["wrtc", "allowAnonymous"],
        "lets any page of wrtc.origins take any DN without a password",
        "take it out, and write sip_password into the pages",
      );
    if (agents.tokens.keyFile === undefined && token === undefined && tokenFile === undefined)
      say.warn(
        ["wrtc", "enabled"],
        "has no secret to make sessions from: a restart signs its clients out",
        "write agents.tokens.keyFile (openssl rand -hex 32)",
      );
  },
};

function isOff({ token, tokenFile, users }: ParsedConfig["admin"]): boolean {
  return token === undefined && tokenFile === undefined && users.length === 0;
}
