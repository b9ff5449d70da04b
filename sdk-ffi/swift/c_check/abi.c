// The C interface that the generated Swift calls, called from C: what is checked here is everything below Swift.
//
//   abi DIRECTORY     opens clients through the generated header and the library, captures, flushes, reads the numbers
//   abi --config      prints the fields of a Config in the order in which they are written here
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "TrailmarkC.h"

enum { CONTRACT_VERSION = 30, CALL_SUCCESS = 0, CALL_ERROR = 1, POLL_READY = 0, CONFIG_ERROR_URL = 1 };

static void expect(int holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "abi: this does not hold: %s\n", what);
        exit(1);
    }
}

// ---- What crosses: big-endian, lengths and variants as i32, an option as one byte and then the value.

typedef struct { uint8_t bytes[4096]; size_t len; } Writer;

static void put(Writer *to, const void *bytes, size_t len) {
    expect(to->len + len <= sizeof to->bytes, "an argument is small");
    memcpy(to->bytes + to->len, bytes, len);
    to->len += len;
}

static void put_byte(Writer *to, uint8_t byte) { put(to, &byte, 1); }

static void put_number(Writer *to, uint64_t value, int bytes) {
    while (bytes-- > 0) put_byte(to, (uint8_t)(value >> (8 * bytes)));
}

static void put_text(Writer *to, const char *text) {
    put_number(to, strlen(text), 4);
    put(to, text, strlen(text));
}

static void put_optional_text(Writer *to, const char *text) {
    put_byte(to, text != NULL);
    if (text) put_text(to, text);
}

typedef struct { const uint8_t *at; size_t left; } Reader;

static uint64_t take_number(Reader *from, int bytes) {
    uint64_t value = 0;
    expect(from->left >= (size_t)bytes, "a result is complete");
    from->left -= (size_t)bytes;
    while (bytes-- > 0) value = value << 8 | *from->at++;
    return value;
}

static void take_text(Reader *from, char *to, size_t size) {
    size_t len = take_number(from, 4);
    expect(len < size && len <= from->left, "a text is complete");
    memcpy(to, from->at, len);
    to[len] = 0;
    from->at += len;
    from->left -= len;
}

static RustBuffer crossing(const void *bytes, size_t len) {
    RustCallStatus status = {0};
    ForeignBytes foreign = {(int32_t)len, bytes};
    RustBuffer buffer = ffi_trailmark_ffi_rustbuffer_from_bytes(foreign, &status);
    expect(status.code == CALL_SUCCESS, "a buffer is made");
    return buffer;
}

// A text that is an argument of its own is its bytes, without a length.
static RustBuffer text(const char *text) { return crossing(text, strlen(text)); }

static RustBuffer optional_text(const char *text) {
    Writer writer = {.len = 0};
    put_optional_text(&writer, text);
    return crossing(writer.bytes, writer.len);
}

static void release(RustBuffer buffer) {
    RustCallStatus status = {0};
    ffi_trailmark_ffi_rustbuffer_free(buffer, &status);
    expect(status.code == CALL_SUCCESS, "a buffer is freed");
}

// ---- A Config. Everything that is optional is left out, but what the test needs.

static const char *const CONFIG[] = {
    "url", "writeKey", "directory", "durability", "join", "sdkName", "context", "anonymousId", "installId", "flushAt",
    "flushIntervalMs", "maxBatchEvents", "maxQueueEvents", "maxQueueBytes", "maxAgeMs", "sessionIdleMs", "sessionMaxMs",
    "backoff", "requestTimeoutMs", "extraRootPem", "proxy",
};

static RustBuffer config(const char *url, const char *directory) {
    Writer to = {.len = 0};
    for (size_t i = 0; i < sizeof CONFIG / sizeof *CONFIG; i++) {
        const char *field = CONFIG[i];
        if (!strcmp(field, "url")) put_text(&to, url);
        else if (!strcmp(field, "writeKey")) put_text(&to, "tm_pk_example");
        else if (!strcmp(field, "directory")) put_optional_text(&to, directory);
        else if (!strcmp(field, "sdkName")) put_optional_text(&to, "trailmark-swift/0.1.0");
        else if (!strcmp(field, "context")) put_optional_text(&to, "{\"os\":{\"name\":\"iOS\"}}");
        else put_byte(&to, 0); // `join` is false; an option is nothing
    }
    return crossing(to.bytes, to.len);
}

// ---- The client. A call takes over the handle it is given, so each gets a clone, as in the generated Swift.

static uint64_t clone_of(uint64_t client) {
    RustCallStatus status = {0};
    uint64_t handle = uniffi_trailmark_ffi_fn_clone_client(client, &status);
    expect(status.code == CALL_SUCCESS && handle != 0, "a handle is cloned");
    return handle;
}

static uint64_t opened(const char *directory) {
    RustCallStatus status = {0};
    uint64_t client = uniffi_trailmark_ffi_fn_constructor_client_open(config("http://127.0.0.1:9", directory), &status);
    expect(status.code == CALL_SUCCESS && client != 0, "a client is opened");
    return client;
}

static void close_client(uint64_t client) {
    RustCallStatus status = {0};
    RustBuffer report = uniffi_trailmark_ffi_fn_method_client_shutdown(clone_of(client), 1000, &status);
    expect(status.code == CALL_SUCCESS, "a client is shut down");
    release(report);
    uniffi_trailmark_ffi_fn_free_client(client, &status);
    expect(status.code == CALL_SUCCESS, "a client is freed");
}

static void track(uint64_t client, const char *name, const char *properties) {
    RustCallStatus status = {0};
    uniffi_trailmark_ffi_fn_method_client_track(clone_of(client), text(name), optional_text(properties), &status);
    expect(status.code == CALL_SUCCESS, "an event is captured");
}

typedef struct { uint64_t captured, delivered, dropped, queued, panics; char reason[64]; } Counts;

// The sum of a map of counts, and its last key.
static uint64_t take_counts(Reader *from, char *reason, size_t size) {
    uint64_t sum = 0;
    for (uint64_t left = take_number(from, 4); left > 0; left--) {
        take_text(from, reason, size);
        sum += take_number(from, 8);
    }
    return sum;
}

static Counts stats(uint64_t client) {
    RustCallStatus status = {0};
    RustBuffer buffer = uniffi_trailmark_ffi_fn_method_client_stats(clone_of(client), &status);
    expect(status.code == CALL_SUCCESS, "the stats are told");
    Reader from = {buffer.data, buffer.len};
    Counts counts = {0};
    char words[1024];
    counts.captured = take_number(&from, 8);
    counts.delivered = take_number(&from, 8);
    counts.dropped = take_counts(&from, counts.reason, sizeof counts.reason);
    counts.queued = take_number(&from, 8);
    take_number(&from, 8);                                            // queuedBytes
    take_number(&from, 8);                                            // attempts
    if (take_number(&from, 1)) take_text(&from, words, sizeof words); // lastError
    expect(take_number(&from, 1) == 0, "no key was refused");
    expect(take_number(&from, 4) == 2, "the events are saved in the directory");
    expect(take_number(&from, 1) == 0, "nobody opted out");
    take_number(&from, 8);                                            // ignored
    take_number(&from, 8);                                            // truncated
    take_number(&from, 8);                                            // hookPanics
    counts.panics = take_number(&from, 8);
    expect(from.left == 0, "the stats have no other fields");
    release(buffer);
    return counts;
}

// ---- A future: polled until it is ready, woken on a thread of the engine.

typedef struct { pthread_mutex_t lock; pthread_cond_t told; int woken; int8_t code; } Waiting;

static void wake(uint64_t data, int8_t code) {
    Waiting *waiting = (Waiting *)(uintptr_t)data;
    pthread_mutex_lock(&waiting->lock);
    waiting->woken = 1;
    waiting->code = code;
    pthread_cond_signal(&waiting->told);
    pthread_mutex_unlock(&waiting->lock);
}

static int8_t poll_once(uint64_t future) {
    Waiting waiting = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0};
    ffi_trailmark_ffi_rust_future_poll_rust_buffer(future, wake, (uint64_t)(uintptr_t)&waiting);
    pthread_mutex_lock(&waiting.lock);
    while (!waiting.woken) pthread_cond_wait(&waiting.told, &waiting.lock);
    pthread_mutex_unlock(&waiting.lock);
    return waiting.code;
}

static void flush_leaves(uint64_t client, uint64_t pending) {
    uint64_t future = uniffi_trailmark_ffi_fn_method_client_flush(clone_of(client));
    while (poll_once(future) != POLL_READY) {}
    RustCallStatus status = {0};
    RustBuffer buffer = ffi_trailmark_ffi_rust_future_complete_rust_buffer(future, &status);
    expect(status.code == CALL_SUCCESS, "a flush ends");
    ffi_trailmark_ffi_rust_future_free_rust_buffer(future);
    Reader from = {buffer.data, buffer.len};
    char reason[64];
    expect(take_number(&from, 8) == 0, "nothing is delivered where there is no server");
    expect(take_counts(&from, reason, sizeof reason) == 0, "nothing is dropped because of it");
    expect(take_number(&from, 8) == pending, "what was captured is pending");
    expect(from.left == 0, "a report has no other fields");
    release(buffer);
}

// ---- The checks.

static void a_wrong_address_is_a_typed_error(void) {
    RustCallStatus status = {0};
    uniffi_trailmark_ffi_fn_constructor_client_open(config("no address", NULL), &status);
    expect(status.code == CALL_ERROR, "a wrong address is an error of the interface");
    Reader from = {status.errorBuf.data, status.errorBuf.len};
    char detail[1024];
    expect(take_number(&from, 4) == CONFIG_ERROR_URL, "the error is ConfigError.Url");
    take_text(&from, detail, sizeof detail);
    expect(detail[0] != 0 && from.left == 0, "the error has a detail for people");
    release(status.errorBuf);
}

static void events_are_counted_flushed_and_survive(const char *directory) {
    uint64_t client = opened(directory);
    track(client, "checkout", "{\"total\":12.5}");
    track(client, "checkout", NULL);
    track(client, "checkout", "[\"no object\"]");
    Counts counts = stats(client);
    expect(counts.captured == 3 && counts.queued == 2 && counts.delivered == 0, "events are counted");
    expect(counts.dropped == 1 && !strcmp(counts.reason, "invalid_event"), "what is no object is dropped by its reason");
    expect(counts.panics == 0, "nothing panicked");
    flush_leaves(client, 2);
    close_client(client);

    client = opened(directory);
    counts = stats(client);
    expect(counts.captured == 3 && counts.queued == 2, "events survive a restart");
    close_client(client);
}

int main(int argc, char **argv) {
    expect(argc == 2, "there is one argument: a directory, or --config");
    if (!strcmp(argv[1], "--config")) {
        for (size_t i = 0; i < sizeof CONFIG / sizeof *CONFIG; i++) puts(CONFIG[i]);
        return 0;
    }
    expect(ffi_trailmark_ffi_uniffi_contract_version() == CONTRACT_VERSION, "the contract is uniffi's version 30");
    a_wrong_address_is_a_typed_error();
    events_are_counted_flushed_and_survive(argv[1]);
    puts("abi: everything holds");
    return 0;
}
