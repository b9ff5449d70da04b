/// Calls that come before `init`.
library;

import 'backend/backend.dart';

/// A call in the form in which it can be made later: what was passed is encoded already.
typedef Call = void Function(Backend backend);

/// What a call does, as far as it matters for keeping it.
enum KeptKind {
  /// It captures an event and leaves everything as it was: `track`, `alias`, …
  event,

  /// It changes what later events say: `identify`, `group`, `register`, `reset`, …
  change,

  /// The person agrees.
  optIn,

  /// The person does not agree.
  optOut,

  /// The person wants their data deleted, and agrees to nothing more.
  deletion,
}

/// Kept calls, to be made: those of [first] before anything is captured, and then those of [then].
typedef TakenCalls = ({List<Call> first, List<Call> then});

/// Calls that wait for a back end, in their order.
///
/// They are made, all at once, when `init` opens one; their time is that of `init`. When no more events can be kept,
/// later ones are not, but what changes something is: who the person is, and what they agreed to, is as true after
/// `init` as it would have been. Consent is kept whatever happens, and takes no room: of several consents in a row those
/// are kept that still mean something, which are three at most. An opt-out and a deletion drop the events before them.
final class KeptCalls {
  /// Events that are kept: those of a start that waits for consent or a disk. 1,000 of them are a few hundred KiB.
  static const int maxEvents = 1000;

  /// Calls that are kept besides, because they change something: 10,000. Beyond it an app is in a loop, and nothing more
  /// is kept but consent: an event after a lost `reset` would be told of the wrong person.
  static const int maxChanges = 10000;

  /// Characters of all texts of the events, and of all texts of the changes: 4 Mi each, at most 16 MiB of memory.
  static const int maxCharacters = 4 * 1024 * 1024;

  final List<_Kept> _calls = [];
  final _Room _events = _Room(maxEvents);
  final _Room _changes = _Room(maxChanges);
  int _refused = 0;

  /// Calls that wait.
  int get length => _calls.length;

  /// Calls that were not kept, or were dropped by an opt-out or a deletion.
  int get refused => _refused;

  /// Keeps a call of so many characters, or counts that it was not kept.
  void keep(KeptKind kind, Call call, int characters) {
    switch (kind) {
      case KeptKind.event:
        if (_changes.isFull || !_events.take(characters)) return _refuse();
      case KeptKind.change:
        if (!_changes.take(characters)) return _refuse();
      case KeptKind.optIn:
        _dropFromEnd(const {KeptKind.optIn});
      case KeptKind.optOut:
        _dropEvents();
        _dropFromEnd(const {KeptKind.optIn, KeptKind.optOut});
      case KeptKind.deletion:
        _dropEvents();
        _dropFromEnd(const {KeptKind.optIn, KeptKind.optOut, KeptKind.deletion});
    }
    _calls.add((kind: kind, call: call));
  }

  /// The calls, which are then no longer kept.
  ///
  /// If the last word is that the person does not agree, that goes first, so that not even the start is captured. A
  /// deletion goes after what came before it, which says whose data it is.
  TakenCalls take() {
    final calls = _calls.toList();
    _calls.clear();
    _events.clear();
    _changes.clear();
    final last = calls.lastIndexWhere((kept) => kept.kind.isConsent);
    if (last < 0 || calls[last].kind == KeptKind.optIn) return (first: const [], then: _callsOf(calls));
    final end = calls.lastIndexWhere((kept) => kept.kind == KeptKind.deletion) + 1;
    return (
      first: _callsOf([...calls.take(end), if (last >= end) calls[last]]),
      then: _callsOf(calls.skip(end).where((kept) => !kept.kind.isConsent)),
    );
  }

  void _refuse() => _refused++;

  void _dropEvents() {
    if (_events.isEmpty) return;
    final before = _calls.length;
    _calls.removeWhere((kept) => kept.kind == KeptKind.event);
    _refused += before - _calls.length;
    _events.clear();
  }

  /// Consents that a later one, right behind them, makes superfluous.
  void _dropFromEnd(Set<KeptKind> kinds) {
    while (_calls.isNotEmpty && kinds.contains(_calls.last.kind)) {
      _calls.removeLast();
    }
  }
}

typedef _Kept = ({KeptKind kind, Call call});

List<Call> _callsOf(Iterable<_Kept> calls) => [for (final kept in calls) kept.call];

extension on KeptKind {
  bool get isConsent => index >= KeptKind.optIn.index;
}

/// Room for calls of one sort. Once one had none, none has, until it is cleared: what is kept is what came first.
final class _Room {
  _Room(this._max);

  final int _max;
  int _calls = 0;
  int _characters = 0;
  bool isFull = false;

  bool get isEmpty => _calls == 0 && !isFull;

  bool take(int characters) {
    isFull = isFull || _calls >= _max || _characters + characters > KeptCalls.maxCharacters;
    if (isFull) return false;
    _calls++;
    _characters += characters;
    return true;
  }

  void clear() {
    _calls = _characters = 0;
    isFull = false;
  }
}
