import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { Live } from "../store/live.ts";
import { certificateTone, mosWords, type Tone } from "../store/words.ts";

interface FigureProps {
  readonly name: string;
  readonly value: string;
  readonly more: string;
  readonly tone?: Tone;
  readonly href?: string;
}

function Figure({ name, value, more, tone = "plain", href }: FigureProps): JSX.Element {
  const inner = (
    <>
      <span class="figure-name">{name}</span>
      <b class="figure-value">{value}</b>
      <span class="figure-more" data-tone={tone}>
        {more}
      </span>
    </>
  );
  return (
    <li data-testid={`figure-${name.toLowerCase().replaceAll(" ", "-")}`}>
      {href === undefined ? <div>{inner}</div> : <a href={href}>{inner}</a>}
    </li>
  );
}

/** The state of the gateway in six figures. */
export function Figures({ live }: { readonly live: Live }): JSX.Element {
  const { agents, calls, servers, workers } = live;
  const inService = useMemo(
    () => count(agents.values(), ({ trunk }) => trunk.state === "in-service"),
    [agents],
  );
  const sound = useMemo(() => soundOf(live), [calls]);
  const down = servers.filter(({ up }) => !up).length;
  const full = workers.filter((worker) => worker.full || !worker.up).length;
  const cpu = Math.max(0, ...workers.map(({ cpu_percent }) => cpu_percent));
  return (
    <ul class="figures" aria-label="Figures">
      <Figure
        name="Agents"
        value={agents.size.toLocaleString("en")}
        more={agentsWords(agents.size, inService)}
        tone={inService === agents.size ? "good" : "wait"}
        href="#agents"
      />
      <Figure
        name="Calls"
        value={calls.size.toLocaleString("en")}
        more={live.gateway?.draining ? "draining: no new ones" : sound.setting}
        tone={live.gateway?.draining ? "wait" : "plain"}
        href="#calls"
      />
      <Figure name="MOS" value={sound.mean} more={sound.more} tone={sound.tone} />
      <Figure
        name="SIP Servers"
        value={`${servers.length - down}/${servers.length}`}
        more={down === 0 ? "all up" : `${down} down`}
        tone={down === 0 ? "good" : "bad"}
      />
      <Figure
        name="Busiest worker"
        value={`${Math.round(cpu)} %`}
        more={full === 0 ? "room for calls" : `${full} of ${workers.length} full or down`}
        tone={full === 0 ? "good" : "bad"}
      />
      <CertificateFigure live={live} />
    </ul>
  );
}

function agentsWords(all: number, inService: number): string {
  if (all === 0) return "nobody is signed in";
  return inService === all ? "all in service" : `${all - inService} not in service`;
}

function CertificateFigure({ live: { gateway } }: { readonly live: Live }): JSX.Element {
  const certificate = gateway?.certificate ?? null;
  if (certificate === null)
    return <Figure name="Certificate" value="–" more={gateway ? "none: plain HTTP" : ""} tone="wait" />;
  const { days_left } = certificate;
  return (
    <Figure
      name="Certificate"
      value={`${days_left} d`}
      more={days_left < 0 ? "has expired" : "until it expires"}
      tone={certificateTone(days_left)}
    />
  );
}

function soundOf({ calls }: Live): { mean: string; more: string; tone: Tone; setting: string } {
  let [sum, known, poor] = [0, 0, 0];
  for (const { mos } of calls.values()) {
    if (mos === null) continue;
    sum += mos;
    known++;
    if (mos < 3.6) poor++;
  }
  const talking = count(calls.values(), ({ answered_at }) => answered_at !== null);
  const setting = `${talking} answered`;
  if (known === 0) return { mean: "–", more: "no call measured", tone: "plain", setting };
  const { text, tone } = mosWords(sum / known);
  const more = poor === 0 ? `${text} on average` : `${text} on average, ${poor} poor`;
  return { mean: (sum / known).toFixed(2), more, tone: poor > 0 && tone === "good" ? "wait" : tone, setting };
}

function count<T>(all: Iterable<T>, is: (one: T) => boolean): number {
  let found = 0;
  for (const one of all) if (is(one)) found++;
  return found;
}
