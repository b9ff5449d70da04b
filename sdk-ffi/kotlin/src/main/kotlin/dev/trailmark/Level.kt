package dev.trailmark

/** How bad an error is. */
public enum class Level {
    /** The app ended with it. */
    FATAL,

    /** Something did not work. */
    ERROR,

    /** Something may not have worked. */
    WARNING,
}

internal fun Level?.toFfi(): dev.trailmark.ffi.Level = when (this) {
    Level.FATAL -> dev.trailmark.ffi.Level.FATAL
    Level.WARNING -> dev.trailmark.ffi.Level.WARNING
    Level.ERROR, null -> dev.trailmark.ffi.Level.ERROR
}
