package dev.trailmark

/** A JSON text cut into its parts, so that nothing is lost: every part is as it is written. */
internal class RawJson(private val text: String) {
    private var at = 0

    /** The members of an object. */
    fun members(): Map<String, String> {
        val members = LinkedHashMap<String, String>()
        items('}') {
            val key = JsonReader(cut(::skipText)).read() as String
            space()
            at += 1
            space()
            members[key] = cut(::skipValue)
        }
        return members
    }

    /** The elements of an array. */
    fun elements(): List<String> = buildList { items(']') { add(cut(::skipValue)) } }

    private inline fun items(close: Char, item: () -> Unit) {
        space()
        at += 1
        space()
        while (text[at] != close) {
            item()
            space()
            if (text[at] == ',') at += 1
            space()
        }
    }

    private inline fun cut(skip: () -> Unit): String {
        val start = at
        skip()
        return text.substring(start, at)
    }

    private fun skipValue() = when (text[at]) {
        '"' -> skipText()
        '{', '[' -> skipNested()
        else -> while (at < text.length && text[at] !in ",]} \n\r\t") at += 1
    }

    private fun skipText() {
        at += 1
        while (text[at] != '"') at += if (text[at] == '\\') 2 else 1
        at += 1
    }

    private fun skipNested() {
        var level = 0
        do {
            when (text[at]) {
                '"' -> { skipText(); continue }
                '{', '[' -> level += 1
                '}', ']' -> level -= 1
            }
            at += 1
        } while (level > 0)
    }

    private fun space() {
        while (at < text.length && text[at].isWhitespace()) at += 1
    }

    companion object {
        /** The text without white space between its tokens. */
        fun compact(text: String): String = buildString {
            var inText = false
            var escaped = false
            for (unit in text) {
                if (inText || unit !in " \n\r\t") append(unit)
                if (unit == '"' && !escaped) inText = !inText
                escaped = inText && unit == '\\' && !escaped
            }
        }
    }
}
