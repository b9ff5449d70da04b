import { Page } from '../parts/page';

export default function Shared() {
  return <Page title="Shared">…</Page>;
}
