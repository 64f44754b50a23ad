import type { JSX } from "preact";
import { Card, Lamp } from "../parts/bits.tsx";
import { age, certificateTone, drainText } from "../store/words.ts";
import { LogLevelChoice, LogLevelsShown } from "./log-level.tsx";
import type { ViewProps } from "./props.ts";

/** The process itself, and what an engineer may do to it. */
export function GatewayCard({ dashboard, state, now, operates }: ViewProps): JSX.Element {
  const { gateway, calls } = state.live;
  if (!gateway)
    return (
      <Card title="Gateway">
        <p class="empty">Not heard of yet.</p>
      </Card>
    );
  const { draining, drain, certificate } = gateway;
  const { acts } = dashboard;
  return (
    <Card title="Gateway" testId="gateway">
      <dl>
        <dt>Version</dt>
        <dd>{gateway.version}</dd>
        <dt>Runs for</dt>
        <dd>{age(now - Date.parse(gateway.since))}</dd>
        <dt>New calls</dt>
        <dd>
          <Lamp
            {...(draining ? { text: "refused: draining", tone: "wait" } : { text: "taken", tone: "good" })}
          />
        </dd>
        {drain && (
          <>
            <dt>Drain</dt>
            <dd data-testid="drain-progress">{drainText(drain)}</dd>
          </>
        )}
        <dt>Log level</dt>
        <dd>
          <LogLevelsShown levels={gateway.log_levels} />
        </dd>
        <dt>Certificate</dt>
        <dd>
          {certificate === null ? (
            "none: plain HTTP"
          ) : (
            <>
              {certificate.subject},{" "}
              <span class="tone" data-tone={certificateTone(certificate.days_left)}>
                {certificate.days_left} days left
              </span>
            </>
          )}
        </dd>
      </dl>
      {operates ? (
        <>
          <div class="buttons">
            <button
              type="button"
              data-testid="drain"
              onClick={() => dashboard.ask(acts.drain(!draining, calls.size))}
            >
              {draining ? "Take calls again" : "Drain…"}
            </button>
            {certificate !== null && (
              <button type="button" onClick={() => dashboard.ask(acts.reloadCertificate())}>
                Reload certificate
              </button>
            )}
          </div>
          <div class="buttons">
            <LogLevelChoice dashboard={dashboard} levels={gateway.log_levels} />
          </div>
        </>
      ) : (
        <p class="hint" data-testid="read-only">
          Your role is read: draining, log level, certificate, hanging up and signing out need role operate.
        </p>
      )}
    </Card>
  );
}
