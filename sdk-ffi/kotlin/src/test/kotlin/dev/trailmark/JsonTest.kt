package dev.trailmark

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test
import java.math.BigDecimal
import java.math.BigInteger
import java.time.Instant
import java.time.LocalDate
import java.time.OffsetDateTime
import java.time.ZoneId
import java.util.Calendar
import java.util.Date
import java.util.GregorianCalendar
import java.util.TimeZone
import java.util.UUID
import java.util.concurrent.atomic.AtomicLong

class JsonTest {
    private enum class Plan { PRO }

    private fun written(value: Any?) = jsonOf(mapOf("v" to value))!!.removeSurrounding("{\"v\":", "}")

    @Test
    fun `every kind of value has its form`() {
        val forms = mapOf(
            null to "null", true to "true", 7 to "7", -7L to "-7", 7.toShort() to "7", 7.toByte() to "7",
            ULong.MAX_VALUE to "18446744073709551615", UInt.MAX_VALUE to "4294967295",
            7.toUShort() to "7", 7.toUByte() to "7",
            1.0 to "1.0", 0.1f to "0.1", 1e21 to "1.0E21", -0.0 to "-0.0", BigDecimal("12.50") to "12.50",
            BigInteger.TEN.pow(30) to "1" + "0".repeat(30), AtomicLong(7) to "7", 'c' to "\"c\"", Plan.PRO to "\"PRO\"",
            StringBuilder("text") to "\"text\"", listOf(1, listOf<Int>(), null) to "[1,[],null]", setOf(1) to "[1]",
            mapOf(1 to 2, null to 3, Plan.PRO to 4) to """{"1":2,"null":3,"PRO":4}""", emptyMap<Int, Int>() to "{}",
            UUID(0, 7) to "\"00000000-0000-0000-0000-000000000007\"",
        )
        for ((value, form) in forms) assertEquals(form, written(value))
    }

    @Test
    fun `arrays of every kind are lists`() {
        val arrays = listOf(
            arrayOf(1, 2), intArrayOf(1, 2), longArrayOf(1, 2), shortArrayOf(1, 2), byteArrayOf(1, 2),
        )
        for (array in arrays) assertEquals("[1,2]", written(array))
        assertEquals("[1.5,null]", written(doubleArrayOf(1.5, Double.NaN)))
        assertEquals("[1.5,null]", written(floatArrayOf(1.5f, Float.POSITIVE_INFINITY)))
        assertEquals("[true]", written(booleanArrayOf(true)))
        assertEquals("[\"c\"]", written(charArrayOf('c')))
    }

    @Test
    fun `dates are RFC 3339 in UTC`() {
        val instant = Instant.parse("2026-11-20T12:00:00.123456789Z")
        assertEquals("\"$instant\"", written(instant))
        assertEquals("\"2026-11-20T12:00:00.123Z\"", written(Date(instant.toEpochMilli())))
        assertEquals("\"$instant\"", written(instant.atZone(ZoneId.of("Europe/Berlin"))))
        assertEquals("\"2026-11-20T10:00:00Z\"", written(OffsetDateTime.parse("2026-11-20T12:00:00+02:00")))
        assertEquals("\"2026-11-20\"", written(LocalDate.parse("2026-11-20")))
        val calendar = GregorianCalendar(TimeZone.getTimeZone("GMT+2")).apply {
            clear()
            set(2026, Calendar.NOVEMBER, 20, 2, 0)
        }
        assertEquals("\"2026-11-20T00:00:00Z\"", written(calendar))
    }

    @Test
    fun `what is no number in JSON is null, or what it says`() {
        val none = listOf(Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, Float.NaN)
        for (value in none) assertEquals("null", written(value))
        val odd = object : Number() {
            override fun toString() = "1/3"
            override fun toByte(): Byte = 0
            override fun toShort(): Short = 0
            override fun toInt() = 0
            override fun toLong() = 0L
            override fun toFloat() = 0f
            override fun toDouble() = 0.0
        }
        assertEquals("\"1/3\"", written(odd))
    }

    @Test
    fun `only what JSON demands is escaped`() {
        val form = "\"\\\"\\\\/\\b\\t\\n\\f\\r\\u0000\\u001f\u007fé\u2028🦀\""
        assertEquals(form, written("\"\\/\b\t\n\u000C\r\u0000\u001f\u007fé\u2028🦀"))
    }

    @Test
    fun `half a surrogate pair is replaced, a whole one stays`() {
        assertEquals("\"a\uFFFDb\uFFFD🦀\uFFFD\"", written("a\uD83Eb\uDD80🦀\uD83E"))
        assertEquals("a\uFFFDb\uFFFD🦀\uFFFD", wellFormed("a\uD83Eb\uDD80🦀\uD83E"))
        assertEquals("{\"\uFFFD\":1}", jsonOf(mapOf("\uD83E" to 1)))
    }

    @Test
    fun `what throws when asked what it is called is null`() {
        val mute = object {
            override fun toString(): String = throw IllegalStateException("mute")
        }
        val endless = object {
            override fun toString(): String = "$this"
        }
        assertEquals("[null,null]", written(listOf(mute, endless)))
        assertEquals("{\"null\":1}", written(mapOf(mute to 1)))
    }

    @Test
    fun `nothing is read of what fails while it is read`() {
        val torn = object : AbstractMap<String, Any?>() {
            override val entries get() = throw ConcurrentModificationException()
        }
        assertThrows(NotJson::class.java) { JsonReader(jsonOf(torn)!!).read() }
        assertNull(jsonOf(null))
    }

    @Test
    fun `too deep a value is one level too deep, whatever it refers to`() {
        fun step(unit: Char) = if (unit in "{[") 1 else if (unit in "]}") -1 else 0
        fun depth(json: String) = json.scan(0) { level, unit -> level + step(unit) }.max()
        fun nest(levels: Int): Any = (1 until levels).fold(emptyList<Any>()) { inner, _ -> listOf(inner) }
        assertEquals(32, depth(jsonOf(mapOf("v" to nest(31)))!!))
        assertEquals(33, depth(jsonOf(mapOf("v" to nest(32)))!!))
        assertEquals(33, depth(jsonOf(mapOf("v" to nest(5_000)))!!))
        val itself = HashMap<String, Any?>()
        for (way in listOf("a", "b", "c")) itself[way] = listOf(itself, itself)
        val json = jsonOf(itself)!!
        assertEquals(33, depth(json))
        JsonReader(json).read()
    }

    @Test
    fun `what would be longer than any event ends there`() {
        val laughs = (1..30).fold(listOf<Any>("ha")) { inner, _ -> listOf(inner, inner) }
        val json = jsonOf(mapOf("v" to laughs))!!
        JsonReader(json).read()
        assertEquals(true, json.length in 65_537..1_000_000, "${json.length}")
    }

    @Test
    fun `what is written can be read`() {
        val properties = mapOf(
            "text" to "\"\\/\b\t\n\u000C\r\u0000é🦀", "int" to 7L, "negative" to -7L, "fraction" to 0.5,
            "list" to listOf(null, true, false),
            "big" to BigInteger.TEN.pow(30), "exact" to BigDecimal("0.12345678901234567890"),
            "map" to mapOf("" to emptyList<Any>()),
        )
        assertEquals(properties, JsonReader(jsonOf(properties)!!).read())
        assertEquals(" \n", JsonReader(" \"\\u0020\\n\" ").read())
    }

    @Test
    fun `what is no JSON is said to be none`() {
        val deep = "[".repeat(70) + "]".repeat(70)
        val texts = listOf("", "{", "[1,]", "{\"a\"}", "\"", "\"\\u12\"", "nul", "1 2", "1..2", "-", "{1:2}", deep)
        for (text in texts) assertThrows(Exception::class.java, { JsonReader(text).read() }, text)
    }

    @Test
    fun `a text is handed on as it is until somebody changes it`() {
        val text = """{"a": 1.50, "b":1E2}"""
        assertEquals(text, jsonOf(JsonMap(text)))
        val map = JsonMap(text)
        assertEquals(setOf("a", "b"), map.keys)
        map["c"] = true
        map.remove("a")
        assertEquals("""{"b":100.0,"c":true}""", jsonOf(map))
        assertEquals("[1]", jsonOf(JsonMap("[1]").also { assertEquals(0, it.size) }))
    }
}
