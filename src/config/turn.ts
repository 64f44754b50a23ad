import type { Say } from "./rules/index.ts";
import type { ParsedConfig } from "./schema.ts";
import { eitherSecret } from "./secret-files.ts";
import { turnSecret, turnSecretWords } from "./turn-section.ts";
import type { Config } from "./types.ts";

/** Checks that addresses and secret go together and reads the secret; what is wrong goes to `say.fault`. */
export function resolveTurn(turn: ParsedConfig["turn"], directory: string, say: Say): Config["turn"] {
  const { urls, lifetimeSeconds, policy, secret: value, secretFile: file } = turn;
  const secret = eitherSecret({ section: ["turn"], name: "secret", value, file }, directory, say);
  if (secret !== undefined && !turnSecret.test(secret))
    say.fault(
      ["turn", "secretFile"],
      `holds no secret: ${turnSecretWords}`,
      "write one into it: openssl rand -hex 32",
    );
  if (urls.length > 0 && value === undefined && file === undefined)
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
  if (urls.length === 0 && (value ?? file) !== undefined)
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
