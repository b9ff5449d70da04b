import { Page } from '../parts/page';

export default function Welcome() {
  return <Page title="Welcome">…</Page>;
}
