package dev.trailmark

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.time.Duration
import java.time.Instant
import java.util.concurrent.ConcurrentHashMap

/** Half a surrogate pair. */
private const val HALF = "\uD83E"
private const val MEGABYTES = 10 * 1024 * 1024

class ForeignInputTest {
    /** What became of the calls. Whatever it was, nothing failed on the way. */
    private fun after(call: Trailmark.() -> Unit): Stats = alone().use { trailmark ->
        trailmark.call()
        trailmark.stats().also {
            assertEquals(0, it.panics)
            assertEquals(it.captured, it.queued + it.dropped.values.sum())
        }
    }

    @Test
    fun `half a surrogate pair is a replacement character, wherever it is`() {
        Peer().use { peer ->
            peer.client().use {
                it.identify("u$HALF", mapOf("s$HALF" to HALF), mapOf("o$HALF" to HALF))
                it.track("n$HALF", mapOf("k$HALF" to listOf("v$HALF", mapOf(HALF to HALF))))
                it.group("t$HALF", "g$HALF", mapOf(HALF to HALF))
                it.register(mapOf(HALF to HALF))
                it.unregister(HALF)
                it.setContext(mapOf("c$HALF" to HALF))
                it.screen("s$HALF")
                it.alias("a$HALF")
                it.appOpened("v$HALF")
                it.captureRequest("G$HALF", "/p$HALF", error = "e$HALF")
                it.captureException(IllegalStateException("m$HALF"), fingerprint = "f$HALF")
                it.capture("c$HALF") { userId = "u$HALF"; sessionId = "s$HALF" }
                assertEquals("u\uFFFD", it.userId)
                assertEquals(0, it.flushBlocking(LONG).pending)
                assertEquals(Pair(9L, 0L), it.stats().run { delivered to panics })
            }
            val (identify, track) = peer.events
            assertEquals(mapOf("s\uFFFD" to "\uFFFD"), identify["set"])
            assertEquals("n\uFFFD", track["event"])
            assertEquals(mapOf("k\uFFFD" to listOf("v\uFFFD", mapOf("\uFFFD" to "\uFFFD"))), track["properties"])
        }
    }

    @Test
    fun `a number that is none is null`() {
        val seen = captured { it.track("t", mapOf("nan" to Double.NaN, "inf" to Float.NEGATIVE_INFINITY, "one" to 1)) }
        assertEquals(mapOf("nan" to null, "inf" to null, "one" to 1L), seen)
    }

    @Test
    fun `what is too deep costs its event, and so does what is in itself`() {
        val deep = (1..10_000).fold(emptyList<Any>()) { inner, _ -> listOf(inner) }
        val itself = HashMap<String, Any?>().also { it["a"] = it; it["b"] = arrayOf(it, it) }
        val stats = after {
            track("deep", mapOf("v" to deep))
            track("itself", itself)
            identify("u_7", itself)
            track("good", mapOf("v" to 1))
        }
        assertEquals(mapOf("too_deep" to 3L), stats.dropped)
        assertEquals(1, stats.queued)
    }

    @Test
    fun `what is in itself only by its width is too large`() {
        val wide = (1..30).fold(listOf<Any>("ha")) { inner, _ -> listOf(inner, inner) }
        assertEquals(mapOf("too_large" to 1L), after { track("wide", mapOf("v" to wide)) }.dropped)
    }

    @Test
    fun `ten megabytes are cut as a value and refused as a name`() {
        val long = "é".repeat(MEGABYTES / 2)
        val stats = after {
            track("long value", mapOf("v" to long))
            track(long)
            identify(long)
            track("long key", mapOf(long to 1))
            captureException(IllegalStateException(long))
            register(mapOf("v" to long))
            setContext(mapOf("v" to long))
        }
        assertEquals(mapOf("name_too_long" to 1L, "id_too_long" to 1L), stats.dropped)
        assertTrue(stats.queuedBytes < 100_000, "$stats")
        assertTrue(stats.truncated > 0, "$stats")
    }

    @Test
    fun `a thing that does not say what it is called is null`() {
        val mute = object {
            override fun toString(): String = throw StackOverflowError()
        }
        assertEquals(mapOf("v" to null), captured { it.track("t", mapOf("v" to mute)) })
    }

    @Test
    fun `what fails while it is read costs its event`() {
        val torn = object : AbstractMap<String, Any?>() {
            override val entries get() = throw ConcurrentModificationException()
        }
        val stats = after {
            track("torn", torn)
            capture("torn") { userId = "u_7"; context = torn }
            setPersonProperties(torn)
            register(torn)
        }
        assertEquals(mapOf("invalid_event" to 3L), stats.dropped)
    }

    @Test
    fun `a map that others change meanwhile never throws`() {
        val shared = ConcurrentHashMap<String, Any?>().apply { repeat(100) { put("k$it", it) } }
        val plain = HashMap<String, Any?>(shared)
        alone().use { trailmark ->
            val changing = Thread {
                repeat(20_000) { n ->
                    plain["k${n % 200}"] = n
                    plain.remove("k${(n + 100) % 200}")
                }
            }
            changing.start()
            repeat(500) { trailmark.track("shared", plain) }
            changing.join()
            assertEquals(Pair(500L, 0L), trailmark.stats().run { captured to panics })
        }
    }

    @Test
    fun `nothing at all is allowed where it is allowed`() {
        val stats = after {
            track("t", null)
            screen("s", null)
            identify("u_7", null, null)
            setPersonProperties(null, null)
            group("company", "acme", null)
            captureException(Throwable(), fingerprint = null, properties = null)
            captureRequest("GET", "/", null, null, null, null)
            track("nulls", mapOf("a" to null))
        }
        assertEquals(emptyMap<String, Long>(), stats.dropped)
        assertNull(alone().use { it.sessionId })
    }

    @Test
    fun `times and numbers beyond all bounds are taken as far as they go`() {
        val stats = after {
            capture("far") { userId = "u_7"; timestamp = Instant.MAX }
            capture("far") { userId = "u_7"; timestamp = Instant.MIN }
            captureRequest("GET", "/", status = -1, duration = Duration.ofSeconds(Long.MAX_VALUE))
            captureRequest("GET", "/", status = 100_000, duration = Duration.ofSeconds(Long.MIN_VALUE))
        }
        assertEquals(4, stats.captured)
        alone().use { assertEquals(0, it.flushBlocking(Duration.ofSeconds(-1)).delivered) }
    }
}
