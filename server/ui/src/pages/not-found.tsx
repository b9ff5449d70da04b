import { Page } from '../parts/page';

/** Nothing is at this address. */
export function NotFound() {
  return (
    <Page title="There is nothing here">
      <p>
        The address leads nowhere. <a href="/">See what is going on now.</a>
      </p>
    </Page>
  );
}
