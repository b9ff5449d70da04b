package dev.trailmark

import dev.trailmark.ffi.Client
import dev.trailmark.ffi.HttpRequest
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import java.time.Duration
import java.util.concurrent.atomic.AtomicLong

/**
 * A client of one Trailmark server. Thread-safe; one for the whole process is enough.
 *
 * ```
 * Trailmark("tm_pk_…", "https://analytics.example.com") { directory = File("analytics") }.use { trailmark ->
 *     trailmark.track("checkout", mapOf("total" to 12.5, "currency" to "EUR"))
 * }
 * ```
 *
 * Calls that capture return at once and never throw, whatever they are given, also from Java and after [close]: an
 * event that cannot be delivered is counted under its reason in [stats]. When such a call returns, the event is saved,
 * if there is an [Options.directory]. `docs/client.md` has the behaviour; nothing is decided here.
 *
 * Properties are maps of texts, numbers, booleans, null, collections, arrays and further maps. `NaN` and infinities
 * become null, dates and instants RFC 3339 text in UTC, everything else the text of its `toString`. More than 32
 * levels, or a map within itself, cost the event, counted as `too_deep`.
 */
public class Trailmark internal constructor(
    private val client: Client,
    private val inAppPrefixes: List<String> = emptyList(),
    captureUncaught: Boolean = false,
) : AutoCloseable {
    private val failures = AtomicLong()
    private val uncaught = if (captureUncaught) Uncaught(::captureUncaught).install() else null

    /**
     * Starts a client. The network is not touched.
     *
     * @param writeKey a write key: `tm_pk_…`.
     * @param apiHost the server: `https://analytics.example.com`; a path in front is fine.
     * @throws TrailmarkException if there can be no such client.
     */
    @JvmOverloads
    @Throws(TrailmarkException::class)
    public constructor(writeKey: String, apiHost: String, options: Options = Options()) :
        this(openClient(writeKey, apiHost, options), options.inAppPrefixes.toList(), options.captureUncaught)

    /** Starts a client with the options that [configure] sets. */
    @Throws(TrailmarkException::class)
    public constructor(writeKey: String, apiHost: String, configure: Options.() -> Unit) :
        this(writeKey, apiHost, Options().apply(configure))

    /** Captures an event of the current identity. */
    @JvmOverloads
    public fun track(name: String, properties: Map<String, Any?>? = null): Unit =
        quietly { client.track(wellFormed(name), jsonOf(properties)) }

    /** A screen was shown: `$screen`, with its name as `$screen_name`. */
    @JvmOverloads
    public fun screen(name: String, properties: Map<String, Any?>? = null): Unit =
        quietly { client.screen(wellFormed(name), jsonOf(properties)) }

    /** Captures an event that says itself who and when: for backends and imports. */
    public fun capture(event: Capture): Unit = quietly { client.capture(event.toFfi()) }

    /** Captures an event that says itself who and when: `capture("order_paid") { userId = "u_7" }`. */
    public fun capture(name: String, fill: Capture.() -> Unit): Unit =
        quietly { client.capture(Capture(name).apply(fill).toFfi()) }

    /**
     * The app met an error: `$exception`, with its causes and their frames.
     *
     * @param handled whether the app goes on.
     * @param fingerprint errors with the same one are one issue; by default the server compares their frames.
     */
    @JvmOverloads
    public fun captureException(
        error: Throwable,
        handled: Boolean = true,
        level: Level = Level.ERROR,
        fingerprint: String? = null,
        properties: Map<String, Any?>? = null,
    ): Unit = quietly { captureThrown(thrownBy(error, inAppPrefixes), handled, level, fingerprint, properties) }

    /** [captureException] for errors that are no [Throwable] of this process. */
    internal fun captureThrown(
        thrown: List<dev.trailmark.ffi.Thrown>,
        handled: Boolean,
        level: Level?,
        fingerprint: String?,
        properties: Map<String, Any?>?,
    ) {
        val exception = dev.trailmark.ffi.CapturedException(thrown, handled, level.toFfi(), fingerprint?.let(::wellFormed))
        client.captureException(exception, jsonOf(properties))
    }

    /**
     * The app made, or served, an HTTP request: `$request`. Query, fragment and credentials of [url] are not captured.
     *
     * @param status the answer's; null if there was none.
     * @param duration from the first byte sent to the answer's head.
     * @param error why there was no answer.
     */
    @JvmOverloads
    public fun captureRequest(
        method: String,
        url: String,
        status: Int? = null,
        duration: Duration? = null,
        error: String? = null,
        properties: Map<String, Any?>? = null,
    ): Unit = quietly {
        val request = HttpRequest(
            method = wellFormed(method),
            url = wellFormed(url),
            status = status?.takeIf { it in 0..UShort.MAX_VALUE.toInt() }?.toUShort(),
            durationMs = duration?.let { it.seconds * 1_000.0 + it.nano / 1_000_000.0 },
            error = error?.let(::wellFormed),
        )
        client.captureRequest(request, jsonOf(properties))
    }

    /**
     * The app was started in this [version], or came back from the background: `$app_opened`, and before it
     * `$app_installed` or `$app_updated` where that is so.
     */
    @JvmOverloads
    public fun appOpened(version: String, fromBackground: Boolean = false): Unit =
        quietly { client.appOpened(wellFormed(version), fromBackground) }

    /** The app went to the background: `$app_backgrounded`, and what is queued is sent. */
    public fun appBackgrounded(): Unit = quietly { client.appBackgrounded() }

    /**
     * Says who uses the device. The same user again costs nothing; another one opens a new epoch.
     *
     * @param set person properties of which the last writer wins.
     * @param setOnce person properties of which the first writer wins.
     */
    @JvmOverloads
    public fun identify(userId: String, set: Map<String, Any?>? = null, setOnce: Map<String, Any?>? = null): Unit =
        quietly { client.identify(wellFormed(userId), jsonOf(set), jsonOf(setOnce)) }

    /** Sets person properties: [set] of which the last writer wins, [setOnce] of which the first does. */
    @JvmOverloads
    public fun setPersonProperties(set: Map<String, Any?>?, setOnce: Map<String, Any?>? = null): Unit =
        quietly { client.set(jsonOf(set), jsonOf(setOnce)) }

    /** Says that the current user and [otherUserId] are one person. */
    public fun alias(otherUserId: String): Unit = quietly { client.alias(wellFormed(otherUserId)) }

    /** Puts the current user into a group (`"company"`, `"acme"`), with what is known about the group. */
    @JvmOverloads
    public fun group(groupType: String, groupId: String, properties: Map<String, Any?>? = null): Unit =
        quietly { client.group(wellFormed(groupType), wellFormed(groupId), jsonOf(properties)) }

    /** Writes these properties into every event from now on, until [reset] or another user. */
    public fun register(properties: Map<String, Any?>): Unit = quietly { client.register(jsonOf(properties).orEmpty()) }

    /** [register], for those of them that are not registered yet. */
    public fun registerOnce(properties: Map<String, Any?>): Unit =
        quietly { client.registerOnce(jsonOf(properties).orEmpty()) }

    /** Takes a registered property out. */
    public fun unregister(key: String): Unit = quietly { client.unregister(wellFormed(key)) }

    /** Replaces the circumstances that are written into events from now on. */
    public fun setContext(context: Map<String, Any?>): Unit = quietly { client.setContext(jsonOf(context).orEmpty()) }

    /** Forgets who uses the device. What is queued keeps its identity and is still delivered. */
    public fun reset(): Unit = quietly { client.reset() }

    /** The person does not want to be observed: nothing is captured, stored or sent, over restarts, until [optIn]. */
    public fun optOut(): Unit = quietly { client.optOut() }

    /** The person agrees again. */
    public fun optIn(): Unit = quietly { client.optIn() }

    /** Whether the person has opted out. */
    public val isOptedOut: Boolean get() = client.isOptedOut()

    /** The person wants their data deleted: the device is emptied, and the server is asked to erase. */
    public fun deleteMyData(): Unit = quietly { client.deleteMyData() }

    /** The install: the same over restarts, until the person's data is deleted. */
    public val installId: String get() = client.installId()

    /** The device, until a [reset]. */
    public val anonymousId: String get() = client.anonymousId()

    /** The user, if one is known. */
    public val userId: String? get() = client.userId()

    /** The session of the latest event, if there was one. */
    public val sessionId: String? get() = client.sessionId()

    /** What was captured, and what became of it; also after [close]. */
    public fun stats(): Stats = statsOf(client.stats(), failures.get())

    /** What somebody should know, since the last time; nothing if there is an [Options.onNotice]. */
    public fun takeNotices(): List<Notice> = client.takeNotices().map(::noticeOf)

    /** Waits until fewer than [maxQueued] events are queued: for imports. */
    public suspend fun ready(maxQueued: Int): Unit =
        awayFromTheClient { client.ready(maxQueued.coerceAtLeast(0).toUInt()) }

    /** Sends what is queued; when each of those events was tried once, says what became of them. */
    public suspend fun flush(): FlushReport = reportOf(awayFromTheClient { client.flush() })

    /** [flush] that blocks the thread, at most so long. An interrupt does not end it. */
    public fun flushBlocking(timeout: Duration): FlushReport = reportOf(client.flushBlocking(millis(timeout)))

    /**
     * Captures nothing more, sends what is queued, and ends the client's thread. Blocks, at most so long. What is left
     * waits in the [Options.directory] for the next start. Later events are counted as `shut_down`.
     */
    public fun shutdown(timeout: Duration): FlushReport {
        uncaught?.remove()
        return reportOf(client.shutdown(millis(timeout)))
    }

    /** [shutdown] within 5 seconds. The library's memory is given back when nothing refers to this object any more. */
    override fun close() {
        shutdown(CLOSING)
    }

    private fun captureUncaught(error: Throwable) =
        captureException(error, handled = false, level = Level.FATAL)

    /** A failure costs the call, is counted, and is not the app's concern. */
    private inline fun quietly(call: () -> Unit) {
        try {
            call()
        } catch (_: Throwable) {
            failures.incrementAndGet()
        }
    }

    private companion object {
        /** A request's usual time many times over, and short of the 10 s after which Android and Kubernetes kill. */
        val CLOSING: Duration = Duration.ofSeconds(5)
    }
}

/**
 * The core ends a wait on its own thread. What comes after it must not run there, as it would with
 * [Dispatchers.Unconfined]: a call that blocks would wait for itself.
 */
private suspend fun <T> awayFromTheClient(wait: suspend () -> T): T = withContext(Dispatchers.Default) { wait() }

private fun openClient(writeKey: String, apiHost: String, options: Options): Client = opened {
    val config = options.toConfig(writeKey, apiHost)
    Client.openWith(config, options.beforeSend?.let(::Hook), options.onNotice?.let(::Listener))
}
