import type { JSX } from "preact";
import type { AuditEntry, Failure } from "../api/contract.ts";
import { At, Card } from "../parts/bits.tsx";
import { callHash } from "../store/view.ts";
import { endWords } from "../store/words.ts";
import { BansCard } from "./bans-card.tsx";
import type { ViewProps } from "./props.ts";

export function LogView({ state: { live }, dashboard, operates }: ViewProps): JSX.Element {
  return (
    <div class="log">
      <Card title="Failures" testId="failures">
        <Failures list={live.failures} />
      </Card>
      <div class="log-side">
        <BansCard dashboard={dashboard} operates={operates} />
        <Card title="What was done here" testId="audit">
          <Audit list={live.audit} />
        </Card>
      </div>
    </div>
  );
}

const kinds: Readonly<Record<Failure["kind"], string>> = {
  call: "Call",
  registration: "Registration",
  login: "Login",
  media: "Media",
  certificate: "Certificate",
};

export function Failures({ list }: { readonly list: readonly Failure[] }): JSX.Element {
  if (list.length === 0) return <p class="empty">Nothing has failed.</p>;
  return (
    <ul class="news">
      {list.map((failure, index) => (
        <li key={`${failure.at} ${index}`}>
          <At iso={failure.at} />
          <div>
            <span class="kind">{kinds[failure.kind] ?? failure.kind}</span> <Parties {...failure} />
            <span class="reason">{endWords(failure.status, failure.reason)}</span>
          </div>
        </li>
      ))}
    </ul>
  );
}

function Parties({ dn, far_number, call }: Failure): JSX.Element | null {
  const words = [dn, far_number].filter((part) => part !== null).join(" with ");
  if (call !== null) return <a href={callHash(call)}>{words === "" ? "its trace" : words}</a>;
  return words === "" ? null : <b>{words}</b>;
}

function Audit({ list }: { readonly list: readonly AuditEntry[] }): JSX.Element {
  if (list.length === 0) return <p class="empty">Nobody has done anything here yet.</p>;
  return (
    <ul class="news">
      {list.map(({ at, who, role, address, act, target, outcome }, index) => (
        <li key={`${at} ${index}`}>
          <At iso={at} />
          <div>
            <b>{who}</b>{" "}
            <span class="dim">
              ({role}, {address})
            </span>{" "}
            <span class="reason">
              {target === null ? act : `${act} ${target}`}: {outcome}
            </span>
          </div>
        </li>
      ))}
    </ul>
  );
}
