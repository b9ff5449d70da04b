/// A hook that others may have set before, and may set again.
library;

/// A place where one handler of type [H] is kept, such as `FlutterError.onError`, of which this becomes a link.
///
/// Handlers are chained, never replaced: the one that was there is still called. [remove] puts it back, but only if the
/// place still has ours; if somebody chained onto ours, it stays in the chain and does nothing but call on.
final class ChainedHook<H extends Function> {
  /// A hook at the place that [read] and [write] know. [link] makes our handler, which calls the previous one if there
  /// was one, and does something of its own only while it `isActive`.
  ChainedHook({
    required H? Function() read,
    required void Function(H? handler) write,
    required H Function(H? previous, bool Function() isActive) link,
  }) : _read = read,
       _write = write,
       _link = link;

  final H? Function() _read;
  final void Function(H? handler) _write;
  final H Function(H? previous, bool Function() isActive) _link;
  _Link<H>? _installed;

  /// Chains our handler. Again does nothing.
  void install() {
    if (_installed != null) return;
    final previous = _read();
    var isActive = true;
    final ours = _link(previous, () => isActive);
    _installed = (previous: previous, ours: ours, silence: () => isActive = false);
    _write(ours);
  }

  /// Ends what our handler does.
  void remove() {
    final installed = _installed;
    if (installed == null) return;
    _installed = null;
    installed.silence();
    if (identical(_read(), installed.ours)) _write(installed.previous);
  }
}

/// What [theirs] says, which is called whatever becomes of [ours]: an app's own handler never suffers from this package.
R afterwards<R>(void Function() ours, R Function() theirs) {
  try {
    ours();
  } catch (_) {
    // An error while an error is told has nobody to go to, and must not take the place of the first.
  }
  return theirs();
}

typedef _Link<H> = ({H? previous, H ours, void Function() silence});
