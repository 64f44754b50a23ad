import { fileSecret } from "./agents.ts";
import type { Say } from "./rules.ts";
import type { ParsedConfig } from "./schema.ts";
import { turnSecret, turnSecretWords } from "./turn-section.ts";
import type { Config } from "./types.ts";

/** Checks that addresses and secret go together and reads the secret; what is wrong goes to `say.fault`. */
export function resolveTurn(turn: ParsedConfig["turn"], directory: string, say: Say): Config["turn"] {
  const { urls, lifetimeSeconds, policy, secretFile } = turn;
  const filePath = ["turn", "secretFile"];
  if (turn.secret !== undefined && secretFile !== undefined)
    say.fault(filePath, "stands beside turn.secret", "write one of the two");
  const fromFile = fileSecret(filePath, secretFile, directory, say);
  if (fromFile !== undefined && !turnSecret.test(fromFile))
    say.fault(filePath, `holds no secret: ${turnSecretWords}`, "write one into it: openssl rand -hex 32");
  const secret = turn.secret ?? fromFile;
  if (urls.length > 0 && turn.secret === undefined && secretFile === undefined)
    say.fault(
      ["turn", "secretFile"],
      "is missing, and turn.urls names TURN servers",
      "write turn.secretFile with coturn's static-auth-secret in it",
    );
  if (urls.length === 0 && policy === "relay")
    say.fault(
      ["turn", "urls"],
      "is empty, and turn.policy is relay: no call would have sound",
      "write turn.urls",
    );
  if (urls.length === 0 && (turn.secret ?? secretFile) !== undefined)
    say.warn(["turn", "urls"], "is empty: the secret is of no use", "write turn.urls");
  return { urls, lifetimeSeconds, policy, ...(secret === undefined ? {} : { secret }) };
}

/** The TURN servers with their secret; undefined where there are none. */
export function turnTerms({
  turn,
}: Pick<Config, "turn">): (Config["turn"] & { readonly secret: string }) | undefined {
  const { secret } = turn;
  return secret === undefined || turn.urls.length === 0 ? undefined : { ...turn, secret };
}
