package dev.trailmark

import dev.trailmark.ffi.Frame
import dev.trailmark.ffi.Thrown
import dev.trailmark.ffi.VectorDevice
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import org.opentest4j.AssertionFailedError
import java.io.File
import java.math.BigDecimal
import java.time.Duration
import java.time.Instant

/** What Kotlin cannot: a text whose escapes are chosen by the app. */
private val CANNOT = setOf("escape_form")

class VectorsTest {
    private val files = File(System.getProperty("trailmark.vectors")).listFiles { it -> it.extension == "json" }!!.sorted()

    private fun cannot(file: File) = RawJson(file.readText()).members()["needs"]
        ?.let { RawJson(it).elements().map { need -> need.trim('"') } }.orEmpty().filter(CANNOT::contains)

    @TestFactory
    fun `every file goes through the public functions with the same bytes`() =
        files.filter { cannot(it).isEmpty() }.map { DynamicTest.dynamicTest(it.name) { Run(it.readText()).steps() } }

    @Test
    fun `only what Kotlin cannot is skipped`() {
        val skipped = files.associate { it.name to cannot(it) }.filterValues { it.isNotEmpty() }
        println("skipped: $skipped")
        assertEquals(mapOf("repair.json" to listOf("escape_form")), skipped)
        assertTrue(files.size >= 59, "${files.size} files")
    }

    @Test
    fun `a difference is a failure`() {
        val text = files.first { it.name == "track.json" }.readText()
        val changed = text.replaceFirst("\"captured\":2", "\"captured\":3")
        assertThrows(AssertionFailedError::class.java) { Run(changed).steps() }
    }
}

/** A number as it is written in the file. */
private class Written(private val text: String) : Number() {
    override fun toString() = text
    override fun toByte() = toInt().toByte()
    override fun toShort() = toInt().toShort()
    override fun toInt() = BigDecimal(text).toInt()
    override fun toLong() = BigDecimal(text).toLong()
    override fun toFloat() = text.toFloat()
    override fun toDouble() = text.toDouble()
}

private class Run(private val file: String) {
    private val device = VectorDevice(file)
    private val trailmark = Trailmark(device.client())

    fun steps() = RawJson(RawJson(file).members().getValue("steps")).elements().forEach(::step)

    private fun step(raw: String) {
        val step = RawJson(raw).members()
        val with = With(step["with"]?.let { RawJson(it).members() }.orEmpty())
        val call = CALLS[step.getValue("do").trim('"')]
        if (call == null) {
            observe(raw, step)
        } else {
            step["at"]?.let { device.setClock(it.toLong()) }
            trailmark.call(with)
        }
        trailmark.stats().run { assertEquals(captured, delivered + dropped.values.sum() + queued) }
    }

    private fun observe(raw: String, step: Map<String, String>) {
        val outcome = device.step(raw)
        assertEquals(step["expect"]?.let(RawJson::compact), outcome?.let(RawJson::compact), raw.take(80))
        when (step["do"]) {
            "\"stats\"" -> assertEquals(read(step.getValue("expect")), seen(trailmark.stats()))
            "\"identity\"" -> assertEquals(read(step.getValue("expect")).filterKeys { it != "session_seq" }, identity())
        }
    }

    @Suppress("UNCHECKED_CAST")
    private fun read(json: String) = JsonReader(json).read() as Map<String, Any?>

    private fun seen(stats: Stats) = with(stats) {
        assertEquals(0, hookPanics + panics)
        mapOf(
            "captured" to captured, "delivered" to delivered, "dropped" to dropped, "queued" to queued,
            "queued_bytes" to queuedBytes, "attempts" to attempts, "last_error" to lastError, "paused" to paused,
            "storage" to storage.toString(), "opted_out" to optedOut, "ignored" to ignored, "truncated" to truncated,
        )
    }

    private fun identity() = with(trailmark) {
        mapOf("install_id" to installId, "anonymous_id" to anonymousId, "user_id" to userId, "session_id" to sessionId)
    }
}

/** The arguments of a step. */
private class With(private val raw: Map<String, String>) {
    fun any(key: String): Any? = raw[key]?.let { expanded(JsonReader(it, ::Written).read()) }
    fun text(key: String): String? = any(key) as String?
    fun flag(key: String): Boolean? = any(key) as Boolean?
    fun number(key: String): Number? = any(key) as Number?

    /** What is no object cannot be a map: the text goes where a hook's untouched properties go. */
    @Suppress("UNCHECKED_CAST")
    fun map(key: String): Map<String, Any?>? = when (val value = any(key)) {
        null -> null
        is Map<*, *> -> value as Map<String, Any?>
        else -> JsonMap(raw.getValue(key))
    }

    private fun expanded(value: Any?): Any? = when (value) {
        is Map<*, *> -> repeated(value["\$repeat"] as? List<*>) ?: value.mapValues { expanded(it.value) }
        is List<*> -> value.map(::expanded)
        else -> value
    }

    private fun repeated(of: List<*>?) = of?.let { (text, times) -> (text as String).repeat((times as Number).toInt()) }
}

private val CALLS: Map<String, Trailmark.(With) -> Unit> = mapOf(
    "track" to { track(it.text("name")!!, it.map("properties")) },
    "screen" to { screen(it.text("name")!!, it.map("properties")) },
    "identify" to { identify(it.text("user_id")!!, it.map("set"), it.map("set_once")) },
    "set" to { setPersonProperties(it.map("set"), it.map("set_once")) },
    "alias" to { alias(it.text("other_user_id")!!) },
    "group" to { group(it.text("group_type")!!, it.text("group_id")!!, it.map("properties")) },
    "capture" to { with -> capture(with.text("name")!!) { fillFrom(with) } },
    "register" to { register(it.map("properties")!!) },
    "register_once" to { registerOnce(it.map("properties")!!) },
    "unregister" to { unregister(it.text("key")!!) },
    "set_context" to { setContext(it.map("context")!!) },
    "reset" to { reset() },
    "opt_out" to { optOut() },
    "opt_in" to { optIn() },
    "delete_my_data" to { deleteMyData() },
    "capture_exception" to { captureVector(it) },
    "capture_request" to { captureRequestVector(it) },
    "app_opened" to { appOpened(it.text("name")!!, it.flag("from_background") ?: false) },
    "app_backgrounded" to { appBackgrounded() },
)

private fun Capture.fillFrom(with: With) {
    id = with.text("id")
    anonymousId = with.text("anonymous_id")
    userId = with.text("user_id")
    otherUserId = with.text("other_user_id")
    sessionId = with.text("session_id")
    timestamp = with.text("timestamp")?.let(Instant::parse)
    properties = with.map("properties")
    context = with.map("context")
    set = with.map("set")
    setOnce = with.map("set_once")
}

private fun Trailmark.captureVector(with: With) = captureThrown(
    thrown = (with.any("thrown") as List<*>).map { thrown(it as Map<*, *>) },
    handled = with.flag("handled") ?: false,
    level = with.text("level")?.let { Level.valueOf(it.uppercase()) },
    fingerprint = with.text("fingerprint"),
    properties = with.map("properties"),
)

private fun thrown(of: Map<*, *>) = Thrown(
    kind = of["kind"] as String,
    text = of["message"] as String,
    frames = (of["frames"] as List<*>?).orEmpty().map { frame(it as Map<*, *>) },
)

private fun frame(of: Map<*, *>) = Frame(
    function = of["function"] as String?,
    file = of["file"] as String?,
    line = (of["line"] as Number?)?.toInt()?.toUInt(),
    column = (of["column"] as Number?)?.toInt()?.toUInt(),
    inApp = of["in_app"] as Boolean?,
)

private fun Trailmark.captureRequestVector(with: With) = captureRequest(
    method = with.text("method")!!,
    url = with.text("url")!!,
    status = with.number("status")?.toInt(),
    duration = with.number("duration_ms")?.let { Duration.ofNanos((it.toDouble() * 1_000_000).toLong()) },
    error = with.text("error"),
    properties = with.map("properties"),
)
