import { Page } from '../../parts/page';

export default function Dashboards() {
  return <Page title="Dashboards">…</Page>;
}
