package dev.trailmark

/**
 * What may cross to the core: UTF-8. Half a surrogate pair has no form in it and becomes U+FFFD; nothing (from Java)
 * becomes the empty text, which the core refuses under its reason.
 */
internal fun wellFormed(text: String?): String {
    if (text == null) return ""
    if (text.none(Char::isSurrogate)) return text
    return StringBuilder(text.length).also { it.appendWellFormed(text) }.toString()
}

private fun StringBuilder.appendWellFormed(text: String) {
    for (at in text.indices) append(if (text.isHalfPair(at)) '\uFFFD' else text[at])
}

/** Whether the unit at [at] is a surrogate without the other one. */
internal fun CharSequence.isHalfPair(at: Int): Boolean = when {
    this[at].isHighSurrogate() -> at + 1 >= length || !this[at + 1].isLowSurrogate()
    this[at].isLowSurrogate() -> at == 0 || !this[at - 1].isHighSurrogate()
    else -> false
}

/** What [thing] says about itself; nothing if it throws instead. */
internal fun described(thing: Any): String? = try {
    thing.toString()
} catch (_: Throwable) {
    null
}
