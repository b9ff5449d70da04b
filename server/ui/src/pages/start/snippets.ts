/** What goes into an app, in its language. */
export interface Snippet {
  id: string;
  name: string;
  /** What comes first: where the package is. */
  install: string;
  code: string;
  /** What else to know. */
  note?: string;
}

/** Where a snippet has the server's address and the project's key. */
const URL_HERE = '⟨url⟩';
const KEY_HERE = '⟨key⟩';

const NOT_RELEASED = 'No package is released yet: build it from the repository';

/** As in the manuals of the SDKs, with which a test compares them. */
export const SNIPPETS: readonly Snippet[] = [
  {
    id: 'web',
    name: 'Web',
    install: 'Into the head of each page. It loads 2 KB, and the rest when the page is idle.',
    code: `<script async src="${URL_HERE}/sdk/v1/trailmark.js" data-write-key="${KEY_HERE}"></script>`,
    note: `Views, clicks and errors are captured by themselves; anything else with trailmark.track('checkout', { total: 12.5 }). A Content-Security-Policy has to allow ${URL_HERE} in script-src and connect-src.`,
  },
  {
    id: 'npm',
    name: 'npm',
    install: `${NOT_RELEASED} with “make wasm”, and install its folder sdk-wasm/npm.`,
    code: `import trailmark from 'trailmark-web';

trailmark.init('${KEY_HERE}', { apiHost: '${URL_HERE}' });
trailmark.track('checkout', { total: 12.5 });`,
  },
  {
    id: 'flutter',
    name: 'Flutter',
    install: `${NOT_RELEASED}: sdk-ffi/flutter is the package, as a path or git dependency.`,
    code: `import 'package:flutter/material.dart';
import 'package:trailmark_flutter/trailmark_flutter.dart';

Future<void> main() async {
  WidgetsFlutterBinding.ensureInitialized();
  await Trailmark.init(
    '${KEY_HERE}',
    apiHost: '${URL_HERE}',
    platform: TrailmarkFlutter(app: const TrailmarkApp(name: 'Shop', version: '1.4.2')),
  );
  Trailmark.track('app ready', properties: {'cold': true});
  runApp(MaterialApp(navigatorObservers: [TrailmarkObserver()], home: const Text('Hello')));
}`,
    note: 'Android needs the permission INTERNET in its manifest, macOS the entitlement com.apple.security.network.client.',
  },
  {
    id: 'kotlin',
    name: 'Kotlin',
    install: `${NOT_RELEASED} with “make ffi”; sdk-ffi/kotlin has the rest.`,
    code: `Trailmark("${KEY_HERE}", "${URL_HERE}").use { it.track("checkout", mapOf("total" to 12.5)) }`,
    note: 'On Android: TrailmarkAndroid.start in Application.onCreate.',
  },
  {
    id: 'swift',
    name: 'Swift',
    install: `${NOT_RELEASED} with “make ffi”; sdk-ffi/swift has the rest.`,
    code: `try Trailmark(writeKey: "${KEY_HERE}", apiHost: "${URL_HERE}").track("checkout", properties: ["total": 12.5])`,
  },
  {
    id: 'python',
    name: 'Python',
    install: `${NOT_RELEASED} with “make ffi”; sdk-ffi/python has the rest.`,
    code: `from trailmark import Trailmark

client = Trailmark("${KEY_HERE}", "${URL_HERE}")

client.capture("order_paid", user_id="u_7", properties={"total": 12.5, "currency": "EUR"})`,
  },
  {
    id: 'rust',
    name: 'Rust',
    install: 'The crate trailmark-core, as a path or git dependency: it is not on crates.io yet.',
    code: `use std::time::Duration;
use trailmark_core::{BuildError, Client, Properties};

fn main() -> Result<(), BuildError> {
    let client = Client::builder("${URL_HERE}", "${KEY_HERE}").directory("analytics").build()?;
    client.track("checkout", Properties::new().with("total", 12.5)); // on disk when it returns
    client.identify("u_7", Properties::new().with("plan", "pro"));
    let report = client.flush_blocking(Duration::from_secs(5));
    println!("{} delivered, {} pending", report.delivered, report.pending);
    Ok(())
}`,
  },
  {
    id: 'curl',
    name: 'curl',
    install: 'Anything that speaks HTTP. 202 means that the event is on the server’s disk.',
    code: `curl -i ${URL_HERE}/api/events \\
  -H 'Authorization: Bearer ${KEY_HERE}' \\
  -d '{"anonymous_id": "visitor-1", "name": "signup", "properties": {"plan": "pro"}}'`,
  },
];

/** A text with the server's address and the key filled in; without a key, with three dots for it. */
export function filled(text: string, url: string, key: string | null): string {
  return text.replaceAll(URL_HERE, url).replaceAll(KEY_HERE, key ?? 'tm_pk_…');
}
