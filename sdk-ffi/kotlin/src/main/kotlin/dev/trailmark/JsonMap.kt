package dev.trailmark

/**
 * The map of a JSON text that is read when it is first looked at. A text that nobody has looked at, or that is no JSON
 * object, is handed on as it is.
 */
internal class JsonMap(private val text: String) : AbstractMutableMap<String, Any?>() {
    private val read = lazy(LazyThreadSafetyMode.PUBLICATION) { readObject(text) }
    private val members: MutableMap<String, Any?> get() = read.value ?: NONE

    override val entries: MutableSet<MutableMap.MutableEntry<String, Any?>> get() = members.entries
    override fun containsKey(key: String): Boolean = members.containsKey(key)
    override fun get(key: String): Any? = members[key]
    override fun put(key: String, value: Any?): Any? = members.put(key, value)
    override fun remove(key: String): Any? = members.remove(key)

    /** Its text, as it is now. */
    fun json(): String? = when {
        !read.isInitialized() || read.value == null -> text
        else -> jsonOf(LinkedHashMap(members))
    }

    private companion object {
        val NONE: MutableMap<String, Any?> = java.util.Collections.emptyMap()
    }
}

@Suppress("UNCHECKED_CAST")
private fun readObject(text: String): MutableMap<String, Any?>? = try {
    JsonReader(text).read() as? MutableMap<String, Any?>
} catch (_: Exception) {
    null
}
