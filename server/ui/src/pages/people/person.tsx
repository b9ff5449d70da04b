import { Page } from '../../parts/page';

export default function Person() {
  return <Page title="Person">…</Page>;
}
