import type { Section, Setting } from "./config-file.ts";
import { isYes, listOf, PjsipObject } from "./objects.ts";

/** The objects that a section of pjsip_wizard.conf (`type = wizard`) stands for, named as Asterisk names them. */
export function objectsOfWizard({ name, at, settings }: Section): PjsipObject[] {
  const value = (key: string): string => settings.findLast((one) => one.key === key)?.value ?? "";
  const of = (prefix: string): Setting[] =>
    settings.flatMap((one) =>
      one.key.startsWith(`${prefix}/`) ? { ...one, key: one.key.slice(prefix.length + 1) } : [],
    );
  const made = (key: string, text: string): Setting => ({ key, value: text, at });
  const objects: PjsipObject[] = [];
  const add = (suffix: string, type: string, own: readonly Setting[]): void =>
    void objects.push(new PjsipObject(`${name}${suffix}`, type, at, own));
  const hosts = listOf(value("remote_hosts"));
  const transport = settings.filter(({ key }) => key === "transport");
  const sends = isYes(value("sends_auth"));
  const accepts = isYes(value("accepts_auth"));
  add("", "endpoint", [
    ...transport,
    ...of("endpoint"),
    made("aors", name),
    ...(accepts ? [made("auth", `${name}-iauth`)] : []),
    ...(sends ? [made("outbound_auth", `${name}-oauth`)] : []),
  ]);
  // A pattern of its own stands in place of sip:HOST; ${REMOTE_HOST} is the host in it.
  const uri = (key: string, usual: string, host: string): string =>
    (value(key) || usual).replaceAll("${REMOTE_HOST}", () => host);
  const contacts = hosts.map((host) => made("contact", uri("contact_pattern", "sip:${REMOTE_HOST}", host)));
  add("", "aor", [...contacts, ...of("aor")]);
  if (accepts) add("-iauth", "auth", of("inbound_auth"));
  if (sends) add("-oauth", "auth", of("outbound_auth"));
  if (hosts.length > 0 && !isYes(value("accepts_registrations")))
    add("-identify", "identify", [
      made("endpoint", name),
      ...hosts.map((host) => made("match", host)),
      ...of("identify"),
    ]);
  if (isYes(value("sends_registrations"))) {
    const user = of("outbound_auth").findLast(({ key }) => key === "username")?.value ?? name;
    for (const [index, host] of hosts.entries())
      add(`-reg-${index}`, "registration", [
        made("server_uri", uri("server_uri_pattern", "sip:${REMOTE_HOST}", host)),
        made(
          "client_uri",
          uri("client_uri_pattern", "sip:${USERNAME}@${REMOTE_HOST}", host).replaceAll(
            "${USERNAME}",
            () => user,
          ),
        ),
        ...(sends ? [made("outbound_auth", `${name}-oauth`)] : []),
        ...transport,
        ...of("registration"),
      ]);
  }
  return objects;
}
