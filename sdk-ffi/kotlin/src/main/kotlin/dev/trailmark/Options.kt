package dev.trailmark

import dev.trailmark.ffi.Config
import java.io.File
import java.time.Duration

/**
 * Settings of a [Trailmark]. What is not set is as the core has it, which `docs/client.md` tells with its reasons.
 *
 * ```
 * Trailmark("tm_pk_…", "https://analytics.example.com") {
 *     directory = File("/var/lib/shop/analytics")
 *     context = mapOf("app" to mapOf("name" to "Shop", "version" to "1.4.2"))
 *     beforeSend = { draft -> draft.takeUnless { it.name.startsWith("debug_") } }
 * }
 * ```
 */
public class Options {
    /** Where events and identity survive restarts; nothing does without one. It belongs to one client at a time. */
    public var directory: File? = null

    /** What an event in the [directory] survives besides the death of the process. */
    public var durability: Durability? = null

    /**
     * Whether the client that this process has on the [directory], if it was to be joined, too, is given once more,
     * with the settings that it has; instead of an error.
     */
    public var join: Boolean = false

    /** The circumstances that are written into every event: `app`, `os`, `device`, `screen`, `locale`, `timezone`, … */
    public var context: Map<String, Any?>? = null

    /** The device's id at the first start; made if there is none. What the [directory] remembers wins. */
    public var anonymousId: String? = null

    /** The install's id at the first start; made if there is none. What the [directory] remembers wins. */
    public var installId: String? = null

    /** Events that make a batch worth sending at once. */
    public var flushAt: Int? = null

    /** How long an event waits for company. */
    public var flushInterval: Duration? = null

    /** Most events in one request. */
    public var maxBatchEvents: Int? = null

    /** Most events waiting; then the oldest goes. */
    public var maxQueueEvents: Int? = null

    /** Most bytes of waiting events; then the oldest goes. */
    public var maxQueueBytes: Long? = null

    /** How long an event waits at most. */
    public var maxAge: Duration? = null

    /** The pause that ends a session. */
    public var sessionIdle: Duration? = null

    /** The longest session. */
    public var sessionMax: Duration? = null

    /** The first wait after a failure, and the longest. */
    public var backoff: Backoff? = null

    /** How long an attempt may take as a whole. */
    public var requestTimeout: Duration? = null

    /** Certificates to trust besides Mozilla's roots, as PEM. Those of the system are not looked at. */
    public var extraRootPem: String? = null

    /** An HTTP proxy's address. */
    public var proxy: String? = null

    /**
     * May change an event before it is captured, or drop it with null, on the thread that captures it. If it throws,
     * the event goes on as it was, counted in [Stats.hookPanics]. What it captures itself does not come to it.
     */
    public var beforeSend: ((Draft) -> Draft?)? = null

    /**
     * Is told what somebody should know, on the thread that met it: the app's or the client's. It must not wait for a
     * client. What it throws is ignored. Without one, [Trailmark.takeNotices] has the same.
     */
    public var onNotice: ((Notice) -> Unit)? = null

    /**
     * Whether errors that nobody catches are captured before the handler that was there before gets them. The event
     * survives the end of the process in a [directory], and is sent after the next start.
     */
    public var captureUncaught: Boolean = false

    /**
     * What the names of the app's own classes start with (`"com.shop."`), for [Trailmark.captureException]. Without
     * any, everything is the app's own but the classes of Java, Kotlin and Android.
     */
    public var inAppPrefixes: List<String> = emptyList()
}

/** The first wait after a failure, and the longest. */
public class Backoff(
    /** The first wait; each further one may be twice as long. */
    public val base: Duration,
    /** The longest wait. */
    public val cap: Duration,
)

/** What an event in the directory survives besides the death of the process. */
public sealed interface Durability {
    /** Nothing else: the system writes it when it likes. */
    public object Process : Durability

    /** The loss of power, at once. Each event costs milliseconds. */
    public object EveryEvent : Durability

    /** The loss of power, once it is older than [age]. */
    public class Within(
        /** How much may be lost. */
        public val age: Duration,
    ) : Durability
}

/** Name and version of this SDK. */
internal const val SDK_NAME: String = "trailmark-kotlin/0.1.0"

internal fun Options.toConfig(writeKey: String?, apiHost: String?) = Config(
    url = wellFormed(apiHost),
    writeKey = wellFormed(writeKey),
    directory = directory?.let { wellFormed(it.absolutePath) },
    durability = durability?.toFfi(),
    join = join,
    sdkName = SDK_NAME,
    context = jsonOf(context),
    anonymousId = anonymousId?.let(::wellFormed),
    installId = installId?.let(::wellFormed),
    flushAt = flushAt?.let(::count),
    flushIntervalMs = flushInterval?.let(::millis),
    maxBatchEvents = maxBatchEvents?.let(::count),
    maxQueueEvents = maxQueueEvents?.let(::count),
    maxQueueBytes = maxQueueBytes?.coerceAtLeast(0)?.toULong(),
    maxAgeMs = maxAge?.let(::millis),
    sessionIdleMs = sessionIdle?.let(::millis),
    sessionMaxMs = sessionMax?.let(::millis),
    backoff = backoff?.let { dev.trailmark.ffi.Backoff(millis(it.base), millis(it.cap)) },
    requestTimeoutMs = requestTimeout?.let(::millis),
    extraRootPem = extraRootPem?.let(::wellFormed),
    proxy = proxy?.let(::wellFormed),
)

private fun Durability.toFfi(): dev.trailmark.ffi.Durability = when (this) {
    Durability.Process -> dev.trailmark.ffi.Durability.Process
    Durability.EveryEvent -> dev.trailmark.ffi.Durability.EveryEvent
    is Durability.Within -> dev.trailmark.ffi.Durability.Within(millis(age))
}

/** Below zero is zero. */
private fun count(number: Int): UInt = number.coerceAtLeast(0).toUInt()

/** Below zero is zero; beyond the milliseconds of a [Long] is as many as it has. */
internal fun millis(time: Duration): ULong = when {
    time.isNegative -> 0UL
    time.seconds > Long.MAX_VALUE / 1_000 - 1 -> Long.MAX_VALUE.toULong()
    else -> time.toMillis().toULong()
}
