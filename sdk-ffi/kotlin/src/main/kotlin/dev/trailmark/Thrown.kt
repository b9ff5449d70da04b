package dev.trailmark

import dev.trailmark.ffi.Frame
import dev.trailmark.ffi.Thrown
import java.util.Collections
import java.util.IdentityHashMap

/** Causes that are looked at, far more than the core keeps: a `getCause` may make a new one each time. */
private const val CAUSES = 64

/** Classes that are never an app's own. */
private val SYSTEM = listOf(
    "java.", "javax.", "jdk.", "sun.", "com.sun.", "kotlin.", "kotlinx.",
    "android.", "androidx.", "com.android.", "dalvik.", "libcore.",
)

/** The error, then its cause, then the cause of that. */
internal fun thrownBy(error: Throwable, inAppPrefixes: List<String>): List<Thrown> {
    val seen = Collections.newSetFromMap(IdentityHashMap<Throwable, Boolean>())
    return generateSequence(error, ::causeOf)
        .takeWhile(seen::add)
        .take(CAUSES)
        .map { thrown(it, inAppPrefixes) }
        .toList()
}

private fun causeOf(error: Throwable): Throwable? = runCatching { error.cause }.getOrNull()

private fun thrown(error: Throwable, inAppPrefixes: List<String>) = Thrown(
    kind = wellFormed(error.javaClass.name),
    text = wellFormed(runCatching { error.message }.getOrNull()),
    frames = runCatching { error.stackTrace }.getOrNull().orEmpty().filterNotNull().map { frame(it, inAppPrefixes) },
)

private fun frame(at: StackTraceElement, inAppPrefixes: List<String>) = Frame(
    function = wellFormed("${at.className}.${at.methodName}"),
    file = at.fileName?.let(::wellFormed),
    line = at.lineNumber.takeIf { it > 0 }?.toUInt(),
    inApp = isInApp(at.className, inAppPrefixes),
)

/** Whether a class is the app's own: as it says, or else if it is nobody's whom everybody knows. */
internal fun isInApp(className: String, inAppPrefixes: List<String>): Boolean =
    if (inAppPrefixes.isEmpty()) SYSTEM.none(className::startsWith) else inAppPrefixes.any(className::startsWith)
