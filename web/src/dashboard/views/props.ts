import type { Dashboard, DashboardState } from "../store/dashboard.ts";

/** What every view is drawn from. */
export interface ViewProps {
  readonly dashboard: Dashboard;
  readonly state: DashboardState;
  /** The gateway's clock, ms since 1970. */
  readonly now: number;
  /** Role operate. */
  readonly operates: boolean;
}
