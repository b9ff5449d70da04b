/** What the app's consent and the browser's privacy signals allow together. */
import type { Options } from '../api';

type Consent = NonNullable<Options['consent']>;

/** From the laxest to the strictest. */
const CONSENTS: Consent[] = ['granted', 'anonymous', 'denied'];

/** Do Not Track and Global Privacy Control, as browsers say them. */
interface Signals {
  doNotTrack?: string | null;
  globalPrivacyControl?: boolean;
}

/** The stricter of what the app says and of what the browser's signal means. */
export function effectiveConsent(options: Options, { doNotTrack, globalPrivacyControl }: Signals): Consent {
  const meaning = options.privacySignals ?? 'anonymous';
  const asked = globalPrivacyControl || doNotTrack === '1';
  const signalled = asked && meaning !== 'ignore' ? meaning : 'granted';
  const strictness = Math.max(CONSENTS.indexOf(options.consent ?? 'granted'), CONSENTS.indexOf(signalled));
  return CONSENTS[strictness] ?? 'granted';
}
