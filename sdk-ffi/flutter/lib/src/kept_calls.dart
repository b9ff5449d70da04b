/// Calls that come before `init`.
library;

import 'backend/backend.dart';

/// A call in the form in which it can be made later: what was passed is encoded already.
typedef Call = void Function(Backend backend);

/// Calls that wait for a back end, in their order.
///
/// They are made, all at once, when `init` opens one; their time is that of `init`. When no more can be kept, what comes
/// later is not, so that what is kept is what happened up to a moment: an `identify` never goes before its events do.
final class KeptCalls {
  /// Calls that are kept: those of a start that waits for consent or a disk. 1,000 of them are a few hundred KiB.
  static const int maxCalls = 1000;

  /// Characters of all their texts together: 4 Mi, at most 8 MiB of memory.
  static const int maxCharacters = 4 * 1024 * 1024;

  final List<Call> _calls = [];
  int _characters = 0;
  int _refused = 0;

  /// Calls that wait.
  int get length => _calls.length;

  /// Calls that were not kept.
  int get refused => _refused;

  /// Keeps a call of so many characters, or counts that it was not kept. Once one was not, none is.
  void keep(Call call, int characters) {
    if (_refused > 0 || _calls.length >= maxCalls || _characters + characters > maxCharacters) {
      _refused++;
    } else {
      _calls.add(call);
      _characters += characters;
    }
  }

  /// The calls, which are then no longer kept.
  List<Call> take() {
    final calls = _calls.toList();
    _calls.clear();
    _characters = 0;
    return calls;
  }
}
