import { Page } from '../../parts/page';

export default function Cohorts() {
  return <Page title="Cohorts">…</Page>;
}
