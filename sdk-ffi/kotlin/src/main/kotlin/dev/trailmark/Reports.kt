package dev.trailmark

/** What a flush achieved. */
public data class FlushReport(
    /** Events that the server has on stable storage. */
    public val delivered: Long,
    /** Events lost meanwhile, by reason. */
    public val dropped: Map<String, Long>,
    /** Events still queued. */
    public val pending: Long,
)

/** Where events are until they are delivered. */
public sealed interface StorageHealth {
    /** In memory alone. */
    public object Memory : StorageHealth {
        override fun toString(): String = "memory"
    }

    /** In the directory. */
    public object Saved : StorageHealth {
        override fun toString(): String = "saved"
    }

    /** In memory alone, because the directory fails. */
    public data class Failing(
        /** What it says, for people. */
        public val detail: String,
    ) : StorageHealth {
        override fun toString(): String = "failing: $detail"
    }
}

/** The truth, now: `captured = delivered + dropped + queued`. */
public data class Stats(
    /** Events ever handed in. */
    public val captured: Long,
    /** Events that the server has on stable storage. */
    public val delivered: Long,
    /** Events lost, by reason. */
    public val dropped: Map<String, Long>,
    /** Events waiting or on their way. */
    public val queued: Long,
    /** Their size in bytes. */
    public val queuedBytes: Long,
    /** Requests sent by this process. */
    public val attempts: Long,
    /** How the latest attempt failed, for people; null after a success. */
    public val lastError: String?,
    /** Whether the server refuses the key: events are kept, and it is asked again now and then. */
    public val paused: Boolean,
    /** Where the events are. */
    public val storage: StorageHealth,
    /** Whether the person has opted out. */
    public val optedOut: Boolean,
    /** Calls that captured nothing because of it. */
    public val ignored: Long,
    /** Strings that were too long and were cut. */
    public val truncated: Long,
    /** Calls of [Options.beforeSend] that threw; the event went on as it was. */
    public val hookPanics: Long,
    /** Failures inside of this SDK that were caught and cost what was called. Each is a bug worth reporting. */
    public val panics: Long,
)

/** What somebody should know. */
public data class Notice(
    /**
     * `dropped`, `refused`, `truncated`, `hook_panicked`, `storage_failing`, `storage_works` or `key_refused`. Later
     * versions may know others.
     */
    public val kind: String,
    /** The reason of what was dropped or refused, how many strings were cut, or what the storage or the server said. */
    public val detail: String?,
    /** For people. */
    public val text: String,
)

internal fun reportOf(from: dev.trailmark.ffi.FlushReport) =
    FlushReport(from.delivered.toLong(), counts(from.dropped), from.pending.toLong())

internal fun noticeOf(from: dev.trailmark.ffi.Notice) = Notice(from.kind, from.detail, from.text)

/** @param failures those that were caught on this side of the border. */
internal fun statsOf(from: dev.trailmark.ffi.Stats, failures: Long) = Stats(
    captured = from.captured.toLong(),
    delivered = from.delivered.toLong(),
    dropped = counts(from.dropped),
    queued = from.queued.toLong(),
    queuedBytes = from.queuedBytes.toLong(),
    attempts = from.attempts.toLong(),
    lastError = from.lastError,
    paused = from.paused,
    storage = healthOf(from.storage),
    optedOut = from.optedOut,
    ignored = from.ignored.toLong(),
    truncated = from.truncated.toLong(),
    hookPanics = from.hookPanics.toLong(),
    panics = from.panics.toLong() + failures,
)

private fun healthOf(from: dev.trailmark.ffi.StorageHealth) = when (from) {
    is dev.trailmark.ffi.StorageHealth.Memory -> StorageHealth.Memory
    is dev.trailmark.ffi.StorageHealth.Saved -> StorageHealth.Saved
    is dev.trailmark.ffi.StorageHealth.Failing -> StorageHealth.Failing(from.detail)
}

private fun counts(from: Map<String, ULong>) = from.mapValues { it.value.toLong() }
