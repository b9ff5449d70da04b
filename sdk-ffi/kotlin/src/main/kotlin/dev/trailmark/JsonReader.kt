package dev.trailmark

import java.math.BigDecimal

/** Levels that are read: those that the core writes, and some. Bounds the stack. */
private const val LEVELS = 64

/** The text is not what it should be. */
internal class NotJson(at: Int) : Exception("no JSON at character $at")

/**
 * Reads JSON into maps, lists, texts, numbers, booleans and null.
 *
 * @param numberOf what becomes of a number as it is written; by default a [Long] or [Double] where that loses no digit.
 */
internal class JsonReader(private val text: String, private val numberOf: (String) -> Number = ::number) {
    private var at = 0
    private var level = 0

    /** The only value of the text. */
    fun read(): Any? = value().also {
        space()
        expect(at == text.length)
    }

    private fun value(): Any? {
        space()
        return when (peek()) {
            '{' -> nested { members() }
            '[' -> nested { elements() }
            '"' -> text()
            't' -> word("true", true)
            'f' -> word("false", false)
            'n' -> word("null", null)
            else -> number()
        }
    }

    private inline fun <T> nested(content: () -> T): T {
        level += 1
        expect(level <= LEVELS)
        at += 1
        return content().also { level -= 1 }
    }

    private fun members(): MutableMap<String, Any?> {
        val members = LinkedHashMap<String, Any?>()
        list('}') {
            val key = text()
            space()
            skip(':')
            members[key] = value()
        }
        return members
    }

    private fun elements(): MutableList<Any?> {
        val elements = ArrayList<Any?>()
        list(']') { elements.add(value()) }
        return elements
    }

    private inline fun list(close: Char, item: () -> Unit) {
        space()
        var more = peek() != close
        while (more) {
            space()
            item()
            space()
            more = peek() == ','
            if (more) at += 1
        }
        skip(close)
    }

    private fun text(): String {
        skip('"')
        val start = at
        while (peek() != '"' && peek() != '\\') at += 1
        if (peek() == '"') return text.substring(start, at++)
        val out = StringBuilder(text.substring(start, at))
        while (peek() != '"') out.append(unit())
        at += 1
        return out.toString()
    }

    private fun unit(): Char {
        val unit = text[at++]
        if (unit != '\\') return unit
        return when (val escaped = peek().also { at += 1 }) {
            'b' -> '\b'
            'f' -> '\u000C'
            'n' -> '\n'
            'r' -> '\r'
            't' -> '\t'
            'u' -> hex()
            else -> escaped
        }
    }

    private fun hex(): Char {
        expect(at + 4 <= text.length)
        val code = text.substring(at, at + 4).toIntOrNull(16) ?: throw NotJson(at)
        at += 4
        return code.toChar()
    }

    private fun number(): Number {
        val start = at
        while (at < text.length && text[at] in "+-.0123456789Ee") at += 1
        expect(at > start)
        return numberOf(text.substring(start, at))
    }

    private fun <T> word(word: String, value: T): T {
        expect(text.startsWith(word, at))
        at += word.length
        return value
    }

    private fun space() {
        while (at < text.length && text[at] in " \t\n\r") at += 1
    }

    private fun peek(): Char {
        expect(at < text.length)
        return text[at]
    }

    private fun skip(unit: Char) {
        expect(peek() == unit)
        at += 1
    }

    private fun expect(holds: Boolean) {
        if (!holds) throw NotJson(at)
    }
}

private fun number(written: String): Number =
    if (written.any { it in ".eE" }) fraction(written) else written.toLongOrNull() ?: written.toBigInteger()

private fun fraction(written: String): Number {
    val exact = BigDecimal(written)
    val double = exact.toDouble()
    return if (double.isFinite() && BigDecimal.valueOf(double).compareTo(exact) == 0) double else exact
}
