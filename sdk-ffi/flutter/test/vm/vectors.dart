// Runs the conformance vectors (sdk-core/tests/vectors) through an API that stands on a VectorDevice's client.
import 'dart:convert';
import 'dart:io';

import 'package:trailmark_flutter/src/generated/trailmark.g.dart';

import 'json_text.dart';

/// How an API makes an app's calls, by verb. Verbs that are not there go to the device.
typedef Calls = Map<String, void Function(Arguments given)>;

/// What an API shows of itself, by verb (`stats`, `identity`): compared with the outcome, besides the device's own.
typedef Shows = Map<String, Object? Function()>;

/// What a step is called with. A null is an argument that is not given.
final class Arguments {
  Arguments(String json)
    : _raw = {
        for (final (key, value) in fields(json))
          if (value != 'null') key: expand(value),
      };

  final Map<String, String> _raw;

  /// The JSON of an argument, in the bytes of the file; null if it is not given.
  String? json(String key) => _raw[key];

  /// Its value, decoded; null if it is not given.
  T? value<T>(String key) => _raw.containsKey(key) ? jsonDecode(_raw[key]!) as T : null;

  /// A text; empty if it is not given.
  String text(String key) => value<String>(key) ?? '';
}

/// How far a run came.
final class Run {
  int files = 0;
  int steps = 0;
  final skipped = <String>[];
}

/// All files of the folder but those that need what the language `cannot` do.
Run runVectors(
  Directory folder,
  Calls Function(Client client) calls, {
  Shows Function(Client client)? shows,
  Set<String> cannot = const {},
}) {
  final run = Run();
  final files = folder.listSync().whereType<File>().where((file) => file.path.endsWith('.json')).toList();
  for (final file in files..sort((a, b) => a.path.compareTo(b.path))) {
    final text = file.readAsStringSync();
    final needs = (jsonDecode(text) as Map<String, Object?>)['needs'] as List<Object?>? ?? const [];
    if (needs.any(cannot.contains)) {
      run.skipped.add(file.uri.pathSegments.last);
    } else {
      run.steps += _runFile(file.path, text, calls, shows);
      run.files++;
    }
  }
  return run;
}

int _runFile(String path, String text, Calls Function(Client) calls, Shows Function(Client)? shows) {
  final device = VectorDevice(text);
  final client = device.client();
  final api = (calls(client), shows?.call(client) ?? const <String, Object? Function()>{});
  final steps = elements(fields(text).firstWhere((field) => field.$1 == 'steps').$2);
  for (final (at, step) in steps.indexed) {
    try {
      _runStep(device, step, api);
    } catch (error, trace) {
      final begin = step.length > 200 ? step.substring(0, 200) : step;
      Error.throwWithStackTrace(StateError('$path, step ${at + 1}, $begin\n$error'), trace);
    }
  }
  client.close();
  device.close();
  return steps.length;
}

void _runStep(VectorDevice device, String step, (Calls, Shows) api) {
  final parts = {for (final (key, value) in fields(step)) key: value};
  final verb = jsonDecode(parts['do']!) as String;
  final (calls, shows) = api;
  final call = calls[verb];
  if (call == null) return _compare(verb, parts['expect'], device.step(step), shows);
  if (parts['at'] case final at?) device.setClock(int.parse(at));
  call(Arguments(compact(parts['with'] ?? '{}')));
}

void _compare(String verb, String? expected, String? outcome, Shows shows) {
  final found = outcome == null ? null : compact(outcome);
  final wanted = expected == null ? null : compact(expected);
  if (found != wanted) throw StateError('expected $wanted\n     got $found');
  final shown = shows[verb]?.call();
  if (shown == null) return;
  final all = jsonDecode(wanted!) as Map<String, Object?>;
  (shown as Map<String, Object?>).forEach((key, value) {
    if (jsonEncode(value) != jsonEncode(all[key])) throw StateError('$key: $value is shown, not ${all[key]}');
  });
}
