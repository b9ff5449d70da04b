/// A client of `package:http` that captures how long each request took.
library;

export 'src/http/client.dart' show TrailmarkHttpClient;
