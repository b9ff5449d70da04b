import 'package:flutter/widgets.dart';
import 'package:flutter_test/flutter_test.dart';
import 'package:trailmark_flutter/trailmark_flutter.dart';

import 'support/recorder.dart';

PageRoute<void> page(String? name) => PageRouteBuilder<void>(
  settings: RouteSettings(name: name),
  pageBuilder: (_, _, _) => const SizedBox(),
);

Route<void> dialog(String? name) => RawDialogRoute<void>(
  settings: RouteSettings(name: name),
  pageBuilder: (_, _, _) => const SizedBox(),
);

void main() {
  late Recorder recorder;
  late TrailmarkObserver observer;
  setUp(() {
    recorder = Recorder();
    observer = TrailmarkObserver(client: recorder.client);
  });

  test('a page that is pushed, uncovered or put in the place of another is a screen', () {
    observer
      ..didPush(page('/'), null)
      ..didPush(page('/cart'), page('/'))
      ..didPop(page('/cart'), page('/'))
      ..didReplace(newRoute: page('/checkout'), oldRoute: page('/'));
    expect(recorder.calls, ['screen /', 'screen /cart', 'screen /', 'screen /checkout']);
  });

  test('a page without a name and a dialog are none, and uncover none', () {
    observer
      ..didPush(page(null), null)
      ..didPush(page(''), null)
      ..didPush(dialog('/sure'), page('/cart'))
      ..didPop(dialog('/sure'), page('/cart'))
      ..didPop(page('/cart'), null)
      ..didReplace();
    expect(recorder.calls, isEmpty);
  });

  test('the app says what a name is, and what a screen is', () {
    observer = TrailmarkObserver(
      client: recorder.client,
      nameExtractor: (settings) => settings.name?.replaceAll(RegExp(r'\d+'), ':id'),
      routeFilter: (_) => true,
    )..didPush(dialog('/cart/7'), null);
    expect(recorder.calls, ['screen /cart/:id']);
  });

  test('an extractor that throws is captured, and no navigation fails', () {
    observer = TrailmarkObserver(client: recorder.client, nameExtractor: (_) => throw StateError('extractor'))
      ..didPush(page('/'), null);
    expect(recorder.calls, ['captureException Bad state: extractor true']);
  });

  testWidgets('a navigator tells the observer', (tester) async {
    final navigator = GlobalKey<NavigatorState>();
    await tester.pumpWidget(
      WidgetsApp(
        color: const Color(0xff000000),
        navigatorKey: navigator,
        navigatorObservers: [observer],
        onGenerateRoute: (settings) => page(settings.name),
      ),
    );
    navigator.currentState!.pushNamed('/cart');
    await tester.pumpAndSettle();
    navigator.currentState!.pop();
    await tester.pumpAndSettle();
    expect(recorder.calls, ['screen /', 'screen /cart', 'screen /']);
  });
}
