import type { JSX } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";
import type { Ban } from "../api/contract.ts";
import { At, Card } from "../parts/bits.tsx";
import type { Dashboard } from "../store/dashboard.ts";
import { bannedWords } from "../store/words.ts";

/** How often the list is asked for anew while it is looked at, ms. */
const againMs = 5000;

type Shown = { readonly bans: readonly Ban[]; readonly error?: string };

/** Who is shut out after failed logins, with Clear for who operates. */
export function BansCard({ dashboard, operates }: { dashboard: Dashboard; operates: boolean }): JSX.Element {
  const [{ bans, error }, setShown] = useState<Shown>({ bans: [] });
  const read = useCallback(async (): Promise<void> => {
    const answer = await dashboard.api.bans();
    setShown(answer.ok ? answer.value : { bans: [], error: answer.error });
  }, [dashboard]);
  useEffect(() => {
    void read();
    const timer = setInterval(() => void read(), againMs);
    return () => clearInterval(timer);
  }, [read]);
  const clear = (ban?: Ban): void => dashboard.ask(dashboard.acts.liftBans(ban, read));
  return (
    <Card title="Shut out after failed logins" testId="bans">
      {error !== undefined && <p class="empty">{error}</p>}
      {error === undefined && bans.length === 0 && <p class="empty">Nobody is shut out.</p>}
      <ul class="news">
        {bans.map((ban) => (
          <li key={`${ban.address} ${ban.dn}`}>
            <At iso={ban.since} />
            <div>
              <b>{bannedWords(ban)}</b>{" "}
              <span class="reason">
                {ban.failures} failed, until <At iso={ban.until} />
              </span>{" "}
              {operates && (
                <button type="button" class="small" onClick={() => clear(ban)}>
                  Clear<span class="sr"> {bannedWords(ban)}</span>
                </button>
              )}
            </div>
          </li>
        ))}
      </ul>
      {operates && bans.length > 1 && (
        <button type="button" class="small" onClick={() => clear()}>
          Clear all
        </button>
      )}
    </Card>
  );
}
