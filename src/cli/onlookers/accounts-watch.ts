import { reloadAccountsFile, type AccountConfig } from "../../config/index.ts";
import { FileWatch, type Logger } from "../../core/index.ts";
import type { GatewayRooms, Onlooker } from "../gateway/rooms.ts";

/** Puts the accounts file in force as it changes; one that is broken or empty changes nothing. */
export function watchAccounts({
  live,
  surroundings,
}: Pick<GatewayRooms, "live" | "surroundings">): Onlooker | undefined {
  const { accountsFile } = live.current.agents;
  if (accountsFile === undefined) return undefined;
  const { clock } = surroundings;
  const log = surroundings.log.child({ room: "registrar" });
  /** Told already of the file as it was before. */
  let told = new Set<string>();
  return new FileWatch({
    files: [accountsFile],
    clock,
    log,
    onChange() {
      const { current } = live;
      const { accounts, faults } = reloadAccountsFile(current);
      const had = current.agents.fileAccounts;
      const wrong =
        faults.length === 0 && accounts.length === 0 && had.length > 0 ? ["holds no account"] : faults;
      for (const fault of wrong)
        if (!told.has(fault))
          log.error({ fault }, "agents.accountsFile cannot be used: the accounts stay as they were");
      told = new Set(wrong);
      if (wrong.length > 0) return;
      tellDifference(had, accounts, log);
      live.replace({ ...current, agents: { ...current.agents, fileAccounts: accounts } });
    },
  });
}

const dnsTold = 20;

function tellDifference(
  before: readonly AccountConfig[],
  after: readonly AccountConfig[],
  log: Logger,
): void {
  const [former, next] = [before, after].map((list) => new Map(list.map((account) => [account.dn, account])));
  const differs = (dn: string): boolean => JSON.stringify(former?.get(dn)) !== JSON.stringify(next?.get(dn));
  const added = after.filter(({ dn }) => !former?.has(dn));
  const gone = before.filter(({ dn }) => !next?.has(dn));
  const changed = after.filter(({ dn }) => former?.has(dn) && differs(dn));
  const first = (list: readonly AccountConfig[]): string[] => list.slice(0, dnsTold).map(({ dn }) => dn);
  log.info(
    {
      accounts: after.length,
      added: added.length,
      changed: changed.length,
      gone: gone.length,
      dns: { added: first(added), changed: first(changed), gone: first(gone) },
    },
    "agents.accountsFile read again",
  );
}
