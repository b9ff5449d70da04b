/// What Rust calls when a future can go on. It is a function of the library and not of Dart: one of Dart dies with its
/// isolate, and calling it then ends the app.
typedef _Continuation = Pointer<NativeFunction<Void Function(Uint64, Int8)>>;

@Native<Void Function(Uint64, Int8)>(symbol: 'trailmark_dart_wake')
external void _wake(int data, int code);

@Native<Uint32 Function(Pointer<Void>, Int64)>(symbol: 'trailmark_dart_register')
external int _register(Pointer<Void> post, int port);

/// uniffi's `RustFuturePoll::Ready`; the other one means to poll again.
const _ready = 0;

/// What a future of Rust ends in.
Future<T> _await<R, T>(
  int future,
  void Function(int handle, _Continuation callback, int data) poll,
  R Function(int handle, _Status status) complete,
  void Function(int handle) free,
  T Function(R it) lift, {
  Object Function(_Reader from)? error,
}) async {
  try {
    while (await _Wakes.instance.polled((callback, data) => poll(future, callback, data)) != _ready) {}
    return lift(_call(error: error, (status) => complete(future, status)));
  } finally {
    free(future);
  }
}

/// Where this isolate hears of its futures.
final class _Wakes {
  _Wakes._() {
    _port.handler = (Object? message) => _woken(message! as int);
    _port.keepIsolateAlive = false;
    _slot = _register(NativeApi.postCObject.cast(), _port.sendPort.nativePort);
  }

  static final instance = _Wakes._();
  static final _Continuation _callback = Native.addressOf(_wake);

  final _port = RawReceivePort(null, 'trailmark');
  final _waiting = <int, Completer<int>>{};
  late final int _slot;
  int _number = 0;

  /// Polls, and waits until the library says how it went. While anything waits, the isolate stays.
  Future<int> polled(void Function(_Continuation callback, int data) poll) {
    final completer = Completer<int>();
    _waiting[_next()] = completer;
    _port.keepIsolateAlive = true;
    poll(_callback, _slot << 32 | _number);
    return completer.future;
  }

  /// A number of 32 bits that nothing waits under.
  int _next() {
    do {
      _number = (_number + 1) & 0xffffffff;
    } while (_waiting.containsKey(_number));
    return _number;
  }

  /// `message` is a number and, in its last eight bits, how it went.
  void _woken(int message) {
    _waiting.remove(message >> 8)?.complete(message & 0xff);
    _port.keepIsolateAlive = _waiting.isNotEmpty;
  }
}
