import { answer, GET } from '../../../api/client';
import type { Schema } from '../../../api/types';
import { useAnswer } from '../../../api/use';
import { count, percent } from '../../../format';
import { Badge } from '../../../parts/badge';
import { Refused } from '../../../parts/form';
import { Loading } from '../../../parts/loading';
import { Card, Empty } from '../../../parts/page';
import { Table } from '../../../parts/table';
import { may } from '../../../session';
import { SettingsPage } from '../frame';

type Instance = Schema<'GatewayInstance'>;

/** What the gateway's file says, and how the services behind it fare. The file is changed on the server. */
export function Gateway() {
  return may('admin') ? <View /> : <SettingsPage tab="gateway">{null}</SettingsPage>;
}

function View() {
  const gateway = useAnswer((signal) => answer(GET('/api/v1/gateway', { signal })), []);
  const { data } = gateway;
  return (
    <SettingsPage tab="gateway">
      <Refused refusal={gateway.refusal} again={gateway.again} />
      <Loading when={gateway.loading && !data} />
      {data && data.routes.length === 0 && (
        <Empty title="The gateway routes to nobody else">
          A file named by <code>[gateway] file</code> in the configuration has it route to other services, with logins,
          limits and health checks. <code>docs/gateway.md</code> shows how.
        </Empty>
      )}
      {data && data.routes.length > 0 && (
        <>
          {data.upstreams.map((upstream) => (
            <Upstream key={upstream.name} upstream={upstream} />
          ))}
          <Routes routes={data.routes} />
        </>
      )}
    </SettingsPage>
  );
}

function Upstream({ upstream }: { upstream: Schema<'GatewayUpstream'> }) {
  return (
    <Card title={`Service ${upstream.name}`}>
      <Table
        label={`Instances of ${upstream.name}`}
        rows={upstream.instances}
        keyOf={(one) => `${one.url} ${one.address}`}
        columns={[
          {
            name: 'Instance',
            cell: (one) => (
              <div class="named">
                <code>{one.url}</code>
                {!one.url.includes(one.address) && <small class="muted">{one.address}</small>}
              </div>
            ),
          },
          { name: 'State', cell: (one) => <State instance={one} /> },
          { name: 'Under way', number: true, cell: (one) => count(one.in_flight) },
          { name: 'Answers', number: true, cell: (one) => count(one.answered) },
          {
            name: 'Failed',
            number: true,
            cell: (one) => (one.answered === 0 ? '–' : percent(one.failed / one.answered)),
          },
        ]}
      />
      <p class="muted">Requests find their instance by {upstream.balance.replaceAll('_', ' ')}.</p>
    </Card>
  );
}

function State({ instance }: { instance: Instance }) {
  if (!instance.healthy) return <Badge tone="bad">health check fails</Badge>;
  if (instance.breaker === 'open') return <Badge tone="bad">left alone for its failures</Badge>;
  if (instance.ejected) return <Badge tone="warn">left out for failures in a row</Badge>;
  if (instance.breaker === 'half_open') return <Badge tone="warn">tried again</Badge>;
  return <Badge tone="good">well</Badge>;
}

function Routes({ routes }: { routes: readonly Schema<'GatewayRoute'>[] }) {
  return (
    <Card title="Routes">
      <Table
        label="Routes"
        rows={routes}
        keyOf={(route) => route.name}
        columns={[
          {
            name: 'Route',
            cell: (route) => (
              <div class="named">
                <strong>{route.name}</strong>
                <code>
                  {route.methods.join(', ')} {route.host}
                  {route.path}
                </code>
              </div>
            ),
          },
          { name: 'Leads to', cell: (route) => route.target },
          {
            name: 'Lets in',
            cell: (route) =>
              route.auth.length === 0
                ? 'everybody'
                : [route.auth.join(' or '), route.any_role.join(' or ')].filter(Boolean).join(', as '),
          },
          { name: 'Limits', cell: (route) => route.limits.join(', ') || '–' },
        ]}
      />
    </Card>
  );
}
