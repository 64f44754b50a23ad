import { contracted, planAccounts, type AccountsPlan, type Ha1Of, type PasswordFile } from "./accounts.ts";
import { readAgents } from "./agents.ts";
import {
  parseConfigFile,
  type NamedText,
  type Problem,
  type ReadIncluded,
  type Section,
} from "./config-file.ts";
import { readDialPlan, type DialPlan } from "./dial-plan.ts";
import { dialledContexts, planRules } from "./dial-rules.ts";
import { tellDialPlan } from "./dial-apps.ts";
import { planMedia } from "./media.ts";
import { ownOf, PjsipObject, PjsipObjects, typeOf } from "./objects.ts";
import { tellSettings } from "./options.ts";
import { Findings, reportText } from "./report.ts";
import { rolesOf, type Role, type Roles } from "./roles.ts";
import { planAddresses, planHttp } from "./sections.ts";
import { tellRtpAndHttp } from "./rtp-and-http.ts";
import { sipServerSection } from "./sip-server.ts";
import { planTrunk } from "./trunk.ts";
import { objectsOfWizard } from "./wizard.ts";

export interface ImportInput {
  /** By their names: extensions*.conf is a dial plan, rtp*.conf and http*.conf are those, all else is pjsip.conf. */
  readonly files: readonly NamedText[];
  readonly readIncluded: ReadIncluded;
  /** Whether a certificate's file is there. */
  readonly isReadable: (file: string) => boolean;
  /** What names of password files begin with. */
  readonly baseName: string;
  readonly ha1Of: Ha1Of;
}

export interface ImportResult {
  /** Our configuration, as a YAML file would hold it. Holds secrets. */
  readonly tree: Readonly<Record<string, unknown>>;
  /** Beside the configuration, which names them. Hold secrets. */
  readonly passwordFiles: readonly PasswordFile[];
  /** Markdown; holds no secrets. */
  readonly report: string;
  readonly agents: number;
  /** Whether anything is left for a person to decide. */
  readonly toDecide: number;
}

/** Makes our configuration of Asterisk's, and tells what became of every line. Never throws. */
export function importAsterisk(input: ImportInput): ImportResult {
  const findings = new Findings();
  const parsed = sortFiles(input, findings);
  const objects = objectsOf(parsed.pjsip, findings);
  const roles = rolesOf(objects);
  const dialPlan = readDialPlan(parsed.extensions);
  const agents = readAgents(roles.agents, objects, findings);
  const trunk = planTrunk(agents, roles.trunks, objects, findings);
  const accounts = planAccounts(agents, trunk.passwords, input, findings);
  if (accounts.count === 0)
    findings.add(
      "decide",
      "agents",
      "no endpoint for browsers (webrtc=yes, dtls, wss) with a password was found: nobody can sign in. Is this the right pjsip.conf, with what it includes beside it?",
    );
  const { sip, media, publicAddress } = planAddresses(trunk, roles, objects, findings);
  const { http, websocket } = planHttp(
    { objects, general: general(parsed.http), publicAddress, isReadable: input.isReadable },
    findings,
  );
  const rules = planRules(
    contextsOf(roles),
    dialPlan,
    roles.trunks.map(({ name }) => name),
    findings,
  );
  const identity = roles.trunks.some((one) => one.isOn("send_pai")) ? { identity: "asserted" } : {};
  const outbound = { ...(rules.length > 0 ? { rules } : {}), ...identity };
  const sipServer = sipServerSection(trunk, roles, objects, { isReadable: input.isReadable, findings });
  const tree = {
    http,
    websocket,
    sip,
    media: planMedia(roles, general(parsed.rtp), media, findings),
    agents: agentsSection(accounts, roles, objects),
    ...(Object.keys(outbound).length > 0 ? { calls: { outbound } } : {}),
    sipServer,
  };
  tellRest(objects, roles, dialPlan, findings);
  tellRtpAndHttp(general(parsed.rtp), general(parsed.http), findings);
  const { all } = findings;
  return {
    tree,
    passwordFiles: accounts.passwordFiles,
    report: reportText({
      summary: summaryOf(accounts, sipServer.addresses, roles, input.files),
      findings: all,
    }),
    agents: accounts.count,
    toDecide: all.filter(({ kind }) => kind === "decide").length,
  };
}

type FileKind = "pjsip" | "extensions" | "rtp" | "http";

function sortFiles(
  { files, readIncluded }: ImportInput,
  findings: Findings,
): Readonly<Record<FileKind, readonly Section[]>> {
  const sorted: Record<FileKind, Section[]> = { pjsip: [], extensions: [], rtp: [], http: [] };
  const problems: Problem[] = [];
  for (const file of files) {
    const base = file.name.replace(/^.*[/\\]/, "").toLowerCase();
    const kind = base.startsWith("extensions")
      ? "extensions"
      : base.startsWith("rtp")
        ? "rtp"
        : base.startsWith("http")
          ? "http"
          : "pjsip";
    const parsed = parseConfigFile({ ...file, name: file.name.replace(/^.*[/\\]/, "") }, readIncluded);
    for (const section of parsed.sections) sorted[kind].push(section);
    problems.push(...parsed.problems);
  }
  for (const { at, text } of problems) findings.add("decide", "a line that could not be read", text, at);
  return sorted;
}

function general(sections: readonly Section[]): Section | undefined {
  return sections.find(({ name }) => name.toLowerCase() === "general");
}

function objectsOf(sections: readonly Section[], findings: Findings): PjsipObjects {
  const objects: PjsipObject[] = [];
  for (const section of sections) {
    if (section.isTemplate) continue;
    const type = typeOf(section);
    if (type === "wizard") objects.push(...objectsOfWizard(section));
    else if (type !== undefined)
      objects.push(new PjsipObject(section.name, type, section.at, section.settings));
    else
      findings.add(
        "decide",
        "sections without a type",
        "Asterisk makes nothing of them, nor does this",
        section.at,
      );
  }
  return new PjsipObjects(objects);
}

function contextsOf({ agents }: Roles): string[] {
  return [...new Set(agents.flatMap((agent) => agent.value("context") ?? []))];
}

function agentsSection(
  plan: AccountsPlan,
  { agents }: Roles,
  objects: PjsipObjects,
): Record<string, unknown> {
  const aors = agents.flatMap((agent) => objects.namedBy(agent, "aors", "aor"));
  const keepsFirst =
    aors.length > 0 && aors.every((aor) => aor.number("max_contacts") === 1 && !aor.isOn("remove_existing"));
  return {
    ...(plan.realm === undefined ? {} : { realm: plan.realm }),
    ...(plan.accounts.length > 0 ? { accounts: plan.accounts } : {}),
    ...(plan.accountsFile === undefined ? {} : { accountsFile: plan.accountsFile }),
    ...(plan.ranges.length > 0 ? { ranges: plan.ranges } : {}),
    ...(keepsFirst ? { severalBrowsers: "first" } : {}),
  };
}

/** Objects that others told nothing of: every line of them. */
function tellRest(objects: PjsipObjects, roles: Roles, dialPlan: DialPlan, findings: Findings): void {
  const roleByEndpoint = new Map<string, Role>([
    ...roles.agents.map(({ name }) => [name, "agent"] as const),
    ...roles.trunks.map(({ name }) => [name, "trunk"] as const),
    ...roles.phones.map(({ name }) => [name, "phone"] as const),
  ]);
  const roleByAor = new Map<string, Role>();
  for (const endpoint of objects.of("endpoint"))
    for (const name of endpoint.list("aors"))
      roleByAor.set(name, roleByEndpoint.get(endpoint.name) ?? "phone");
  const phones = contracted(roles.phones.map(({ name }) => name));
  for (const object of objects.all) {
    const role = (object.type === "aor" ? roleByAor : roleByEndpoint).get(object.name) ?? "agent";
    if (role === "phone" && (object.type === "endpoint" || object.type === "aor")) {
      if (object.type === "endpoint")
        findings.add(
          "lost",
          "SIP phones that are no browsers",
          `not taken over (${phones}): such phones register at SIP Server themselves`,
          object.at,
        );
    } else if (knownTypes.has(object.type)) tellSettings(object, role, findings);
    else
      findings.add(
        "lost",
        `type = ${object.type}`,
        ownOf(otherTypes, object.type) ?? "there is nothing like it",
        object.at,
      );
  }
  tellDialPlan(dialPlan, dialledContexts(contextsOf(roles), dialPlan), findings);
}

const knownTypes = new Set(["endpoint", "aor", "registration", "auth", "transport", "identify"]);
const otherTypes: Readonly<Record<string, string>> = {
  global: "its keys are Asterisk's own (user agent, keep-alives, default realm); Jackfield's defaults fit",
  system: "timers and threads of Asterisk's; Jackfield's timers are those of RFC 3261",
  acl: "who may connect is your firewall and websocket.origins; from where SIP may come is sipServer.allow",
  domain_alias: "agents sign in with any domain",
  resource_list: "there is nothing to subscribe to",
  phoneprov: "there are no phones to provision",
  "asterisk-publication": "there is nothing to publish",
};

function summaryOf(
  accounts: AccountsPlan,
  addresses: readonly string[],
  roles: Roles,
  files: readonly NamedText[],
): string[] {
  return [
    `read: ${files.map(({ name }) => name.replace(/^.*[/\\]/, "")).join(", ")}, with what they include`,
    `agents that can sign in: ${accounts.count}${accounts.count > 0 ? ` (${accounts.dns})` : ""}`,
    `SIP Server: ${addresses.join(", ")}`,
    `trunk endpoints: ${
      roles.trunks
        .map(({ name }) => name)
        .slice(0, 10)
        .join(", ") || "none"
    }; SIP phones: ${roles.phones.length}`,
    "next: docs/migration.md, then `jackfield check --config FILE`",
  ];
}
