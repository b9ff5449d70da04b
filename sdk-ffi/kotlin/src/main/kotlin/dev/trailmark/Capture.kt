package dev.trailmark

import java.time.Instant

/** Seconds of a timestamp, either way, whose microseconds a [Long] holds: the years −290,000 to 290,000. */
private const val SECONDS = 9_000_000_000_000L

/** An event that says itself who and when, for [Trailmark.capture]: for backends and imports. */
public class Capture(
    /** What happened. */
    public val name: String,
) {
    /** A UUID; made if it is not said. The same id is stored once. */
    public var id: String? = null

    /** The device it happened on. */
    public var anonymousId: String? = null

    /** Who it happened to. */
    public var userId: String? = null

    /** For `$alias`: the other id of the same person. */
    public var otherUserId: String? = null

    /** The session it belongs to. */
    public var sessionId: String? = null

    /** When it happened; now, if it is not said. */
    public var timestamp: Instant? = null

    /** What is known about it. */
    public var properties: Map<String, Any?>? = null

    /** Its circumstances; the client's, if they are not said. */
    public var context: Map<String, Any?>? = null

    /** Person properties of which the last writer wins. */
    public var set: Map<String, Any?>? = null

    /** Person properties of which the first writer wins. */
    public var setOnce: Map<String, Any?>? = null
}

internal fun Capture.toFfi() = dev.trailmark.ffi.Capture(
    name = wellFormed(name),
    id = id?.let(::wellFormed),
    anonymousId = anonymousId?.let(::wellFormed),
    userId = userId?.let(::wellFormed),
    otherUserId = otherUserId?.let(::wellFormed),
    sessionId = sessionId?.let(::wellFormed),
    timestampUs = timestamp?.let(::micros),
    properties = jsonOf(properties),
    context = jsonOf(context),
    set = jsonOf(set),
    setOnce = jsonOf(setOnce),
)

private fun micros(time: Instant): Long =
    time.epochSecond.coerceIn(-SECONDS, SECONDS) * 1_000_000 + time.nano / 1_000
