package dev.trailmark

import java.time.Instant
import java.time.OffsetDateTime
import java.time.ZonedDateTime
import java.util.Calendar
import java.util.Date

/** Levels that the core takes. The next one is written empty, so that the core refuses the event as `too_deep`. */
private const val LEVELS = 32

/**
 * Values after which writing ends: each is a byte and a comma at least, so there are 128 KiB by then, and the core
 * takes 64 KiB. What refers to itself more than once would go on for 2³² of them.
 */
private const val VALUES = 65_536

/** Something that is no JSON object, so that the core refuses its event as `invalid_event`. */
private const val UNREADABLE = "unreadable"

/**
 * The text of a JSON object; nothing for no properties.
 *
 * A map that fails while it is read (another thread changes it) costs its event, counted as `invalid_event`.
 */
internal fun jsonOf(properties: Map<String, Any?>?): String? = try {
    when (properties) {
        null -> null
        is JsonMap -> properties.json()
        else -> JsonWriter().also { it.value(properties) }.toString()
    }
} catch (_: Throwable) {
    UNREADABLE
}

/**
 * Writes values as JSON: no white space, and escapes only where JSON demands them.
 *
 * `NaN` and infinities are `null`, dates RFC 3339 in UTC, half a surrogate pair U+FFFD, keys and all other objects what
 * their `toString` says, `null` if it throws.
 */
private class JsonWriter {
    private val out = StringBuilder(INITIAL)
    private var level = 0
    private var left = VALUES

    override fun toString(): String = out.toString()

    fun value(value: Any?) {
        left -= 1
        when (value) {
            null -> out.append("null")
            is CharSequence -> text(value)
            is Boolean, is Int, is Long, is Short, is Byte -> out.append(value)
            is Double -> number(value, value.isFinite())
            is Float -> number(value, value.isFinite())
            is UInt, is ULong, is UShort, is UByte -> out.append(value)
            is Map<*, *> -> nested('{', '}') { members(value) }
            is Collection<*> -> nested('[', ']') { elements(value.iterator()) }
            else -> array(value)
        }
    }

    private fun array(value: Any) = when (value) {
        is Array<*> -> nested('[', ']') { elements(value.iterator()) }
        is IntArray -> nested('[', ']') { elements(value.iterator()) }
        is LongArray -> nested('[', ']') { elements(value.iterator()) }
        is DoubleArray -> nested('[', ']') { elements(value.iterator()) }
        is FloatArray -> nested('[', ']') { elements(value.iterator()) }
        is BooleanArray -> nested('[', ']') { elements(value.iterator()) }
        is ShortArray -> nested('[', ']') { elements(value.iterator()) }
        is ByteArray -> nested('[', ']') { elements(value.iterator()) }
        is CharArray -> nested('[', ']') { elements(value.iterator()) }
        else -> thing(value)
    }

    private fun thing(value: Any) = when (value) {
        is Number -> writtenNumber(value)
        is Date -> text(Instant.ofEpochMilli(value.time).toString())
        is Calendar -> text(value.toInstant().toString())
        is OffsetDateTime -> text(value.toInstant().toString())
        is ZonedDateTime -> text(value.toInstant().toString())
        else -> description(value)
    }

    private fun description(value: Any) {
        described(value)?.let(::text) ?: out.append("null")
    }

    private fun number(value: Number, finite: Boolean) {
        if (finite) out.append(value) else out.append("null")
    }

    /** A number of a class that may be anybody's: as it says, if that is one in JSON, too. */
    private fun writtenNumber(value: Number) {
        val said = described(value)
        if (said != null && NUMBER.matches(said)) out.append(said) else description(value)
    }

    private inline fun nested(open: Char, close: Char, content: () -> Unit) {
        out.append(open)
        level += 1
        if (level > LEVELS) left = 0 else content()
        level -= 1
        out.append(close)
    }

    private fun members(map: Map<*, *>) {
        var first = true
        for ((key, value) in map) {
            if (left <= 0) return
            if (!first) out.append(',')
            first = false
            text(key as? String ?: key?.let(::described) ?: "null")
            out.append(':')
            value(value)
        }
    }

    private fun elements(values: Iterator<*>) {
        var first = true
        for (value in values) {
            if (left <= 0) return
            if (!first) out.append(',')
            first = false
            value(value)
        }
    }

    private fun text(text: CharSequence) {
        out.append('"')
        for (at in text.indices) {
            val unit = text[at]
            when {
                unit == '"' || unit == '\\' -> out.append('\\').append(unit)
                unit < ' ' -> control(unit)
                unit.isSurrogate() && text.isHalfPair(at) -> out.append('\uFFFD')
                else -> out.append(unit)
            }
        }
        out.append('"')
    }

    private fun control(unit: Char) {
        when (unit) {
            '\b' -> out.append("\\b")
            '\t' -> out.append("\\t")
            '\n' -> out.append("\\n")
            '\u000C' -> out.append("\\f")
            '\r' -> out.append("\\r")
            else -> out.append("\\u00").append(HEX[unit.code shr 4]).append(HEX[unit.code and 15])
        }
    }

    private companion object {
        /** Characters of a small map. */
        const val INITIAL = 128
        const val HEX = "0123456789abcdef"
        val NUMBER = Regex("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?")
    }
}
