import type { JSX } from "preact";
import { Card } from "../parts/bits.tsx";
import type { ViewProps } from "./props.ts";
import { Charts } from "./charts.tsx";
import { Figures } from "./figures.tsx";
import { GatewayCard } from "./gateway-card.tsx";
import { Failures } from "./log-view.tsx";
import { ServersCard, WorkersCard } from "./machines.tsx";

const failuresShown = 12;

export function NowView(props: ViewProps): JSX.Element {
  const { live } = props.state;
  return (
    <div class="now">
      <Figures live={live} />
      <div class="now-left">
        <Charts samples={live.samples} />
      </div>
      <div class="now-right">
        <ServersCard servers={live.servers} />
        <WorkersCard workers={live.workers} />
        <GatewayCard {...props} />
        <Card title="Recent failures" testId="recent-failures" aside={<a href="#log">All</a>}>
          <Failures list={live.failures.slice(0, failuresShown)} />
        </Card>
      </div>
    </div>
  );
}
