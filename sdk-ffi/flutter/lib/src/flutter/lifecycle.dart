/// When an app goes to the background, and comes back. Free of Flutter, so that it is tested without it.
library;

/// The states of an app, by the names that Flutter's `AppLifecycleState` gives them.
const Set<String> _background = {'hidden', 'paused', 'detached'};

/// What a change of state means.
enum AppMove {
  /// It went to the background.
  backgrounded,

  /// It came back.
  opened,
}

/// Follows the states of an app. Losing the focus (`inactive`) is neither: a call or a system dialog does it, too.
final class LifecycleTracker {
  bool _isInBackground = false;

  /// What a change to the state of this name means, if anything.
  AppMove? changedTo(String state) {
    final isInBackground = _background.contains(state);
    if (isInBackground == _isInBackground || state == 'inactive') return null;
    _isInBackground = isInBackground;
    return isInBackground ? AppMove.backgrounded : AppMove.opened;
  }
}
