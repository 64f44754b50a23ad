import { adminPassword, adminToken, expects } from "./keys.ts";
import type { Say } from "./rules/index.ts";
import type { ParsedConfig } from "./schema.ts";
import type { AdminUserConfig, Config } from "./types.ts";
import { eitherSecret, fileSecret } from "./secret-files.ts";
import type { Path } from "./walk.ts";

type ParsedAdmin = ParsedConfig["admin"];
type ParsedUser = ParsedAdmin["users"][number];

/** Whether anybody can sign in at the dashboard and its API; else there is none. */
export function adminIsOn({ admin }: Pick<Config, "admin">): boolean {
  return admin.token !== undefined || admin.users.length > 0;
}

/** What sessions behind sign-in tokens are made from; undefined where nobody issues any, or there is nothing to make it from. */
export function tokenSecret(config: Pick<Config, "admin" | "agents">): string | undefined {
  if (!adminIsOn(config) && !config.agents.jwt) return undefined;
  return config.agents.tokens.key ?? config.admin.token;
}

/** What SSIDs of WRTC clients are made from; undefined: there is nothing that outlives a restart. */
export function ssidSecret({ agents, admin }: Pick<Config, "admin" | "agents">): string | undefined {
  return agents.tokens.key ?? admin.token;
}

/** Checks token and users and reads their secrets; what is wrong goes to `say.fault`, what is risky to `say.warn`. */
export function resolveAdmin(admin: ParsedAdmin, directory: string, say: Say): Config["admin"] {
  const token = resolveToken("admin", admin, directory, say);
  const users = admin.users.map((user, index) =>
    resolveUser(user, ["admin", "users", index], directory, say),
  );
  for (const [index, { name }] of users.entries())
    if (users.findIndex((other) => other.name === name) !== index)
      say.fault(["admin", "users", index, "name"], "stands there twice", "give each person one name");
  return { ...(token === undefined ? {} : { token }), users, sessions: admin.sessions };
}

/** The token of a section that has one, or the one in its file. */
export function resolveToken(
  section: "admin" | "metrics",
  given: Pick<ParsedAdmin, "token" | "tokenFile">,
  directory: string,
  say: Say,
): string | undefined {
  const path = [section, "tokenFile"];
  const { token: value, tokenFile: file } = given;
  const token = eitherSecret({ section: [section], name: "token", value, file }, directory, say);
  if (token !== undefined && !adminToken.test(token))
    say.fault(path, `holds no token: ${expects.adminToken}`, "write one into it: openssl rand -hex 32");
  // A right token is never shut out, however many wrong ones came before: it must not be guessable at any speed.
  if (token !== undefined && looksMadeUp(token))
    say.warn(
      value === undefined ? path : [section, "token"],
      "looks like words and not like chance: it could be guessed",
      "make one with: openssl rand -hex 32",
    );
  return token;
}

function resolveUser(user: ParsedUser, path: Path, directory: string, say: Say): AdminUserConfig {
  const { name, role, passwordHash } = user;
  const given = [user.password, user.passwordFile, passwordHash].filter((one) => one !== undefined);
  if (given.length !== 1)
    say.fault(
      path,
      given.length === 0 ? `has no password for ${name}` : `has more than one password for ${name}`,
      "write one of passwordHash, passwordFile, password",
    );
  const filePath = [...path, "passwordFile"];
  const fromFile = fileSecret(filePath, user.passwordFile, directory, say);
  if (fromFile !== undefined && !adminPassword.test(fromFile))
    say.fault(filePath, `holds no password: ${expects.adminPassword}`, "write a longer one into it");
  const password = user.password ?? fromFile;
  const weakness = password === undefined ? undefined : weaknessOf(password, name);
  if (weakness !== undefined)
    say.warn(
      fromFile === undefined ? [...path, "password"] : filePath,
      weakness,
      "take a longer one: openssl rand -base64 15",
    );
  return {
    name,
    role,
    ...(password === undefined ? {} : { password }),
    ...(passwordHash === undefined ? {} : { passwordHash }),
  };
}

const shortPassword = 12;
const common = /pass(wo|w0)?r?d|passw|qwert|asdf|letmein|welcome|admin|jackfield|genesys|1234|0000|abcd/i;

/** Why a password could be guessed, to be read after its key; undefined when nothing meets the eye. */
function weaknessOf(password: string, name: string): string | undefined {
  if (password.length < shortPassword) return `has fewer than ${shortPassword} characters`;
  if (password.toLowerCase().includes(name.toLowerCase())) return "contains the name";
  if (new Set(password).size < 6) return "has hardly any different characters";
  return common.test(password) && password.length < 20 ? "is built on what everybody tries first" : undefined;
}

/** Letters of one case alone, few different characters or a common word: no random token looks so. */
function looksMadeUp(token: string): boolean {
  const words = token.length < 32 && /^[a-z_.-]+$/i.test(token);
  return words || new Set(token).size < 8 || /pass|admin|token|secret|jackfield|genesys/i.test(token);
}
