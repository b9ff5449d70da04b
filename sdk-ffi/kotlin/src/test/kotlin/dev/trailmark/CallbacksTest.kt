package dev.trailmark

import dev.trailmark.ffi.VectorDevice
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.CopyOnWriteArrayList

class CallbacksTest {
    @Test
    fun `a hook changes what is stored`() = Peer().use { peer ->
        val hook = { draft: Draft ->
            draft.apply {
                name = "renamed"
                properties["build"] = "nightly"
                properties.remove("secret")
                set = mutableMapOf("plan" to "pro")
            }
        }
        peer.client { beforeSend = hook }.use {
            it.track("checkout", mapOf("total" to 12.50, "secret" to "s"))
            it.flushBlocking(LONG)
        }
        val event = peer.events.single()
        assertEquals("renamed", event["event"])
        assertEquals(mapOf("total" to 12.5, "build" to "nightly"), event["properties"])
        assertEquals(mapOf("plan" to "pro"), event["set"])
    }

    @Test
    fun `a hook that returns nothing drops the event`() = alone {
        beforeSend = { draft -> draft.takeUnless { it.name.startsWith("debug_") } }
    }.use {
        it.track("debug_menu")
        it.track("checkout")
        assertEquals(mapOf("before_send" to 1L), it.stats().dropped)
        assertEquals(1, it.stats().queued)
    }

    @Test
    fun `a hook that throws is counted, and the event goes on as it was`() {
        val thrown = listOf(IllegalStateException(), StackOverflowError(), object : Throwable() {}, OutOfMemoryError())
        for (error in thrown) alone { beforeSend = { draft -> draft.properties.clear(); throw error } }.use {
            it.track("checkout", mapOf("total" to 1))
            assertEquals(listOf(1L, 1L, 0L), it.stats().run { listOf(queued, hookPanics, panics) }, "$error")
            assertEquals(listOf("hook_panicked"), it.takeNotices().map(Notice::kind))
        }
    }

    @Test
    fun `what a hook captures does not come to it`() {
        lateinit var trailmark: Trailmark
        trailmark = alone { beforeSend = { draft -> draft.also { trailmark.track("seen ${it.name}") } } }
        trailmark.use {
            it.track("checkout")
            it.track("checkout")
            assertEquals(Pair(4L, 0L), it.stats().run { queued to hookPanics })
        }
    }

    @Test
    fun `a hook that leaves what is no JSON loses the event`() = alone {
        beforeSend = { draft ->
            draft.apply { properties = object : AbstractMutableMap<String, Any?>() {
                override val entries get() = throw ConcurrentModificationException()
                override fun put(key: String, value: Any?) = null
            } }
        }
    }.use {
        it.track("checkout")
        assertEquals(mapOf("invalid_event" to 1L), it.stats().dropped)
    }

    @Test
    fun `a listener is told, and what it throws is its own affair`() {
        val told = CopyOnWriteArrayList<Notice>()
        alone { onNotice = { notice -> told += notice; throw StackOverflowError() } }.use {
            it.track("")
            it.track("good")
            assertEquals(Pair(2L, 0L), it.stats().run { captured to panics })
        }
        assertEquals(listOf(Notice("dropped", "missing_name", "an event was dropped: missing_name")), told)
    }

    @Test
    fun `a listener may ask the client that tells it`() {
        val seen = CopyOnWriteArrayList<Long>()
        lateinit var trailmark: Trailmark
        trailmark = alone { onNotice = { seen += trailmark.stats().captured } }
        trailmark.use { it.track("") }
        assertEquals(listOf(1L), seen)
    }

    @Test
    fun `without a listener the notices wait`() = alone().use {
        it.identify("undefined")
        assertEquals(listOf("junk_user_id"), it.takeNotices().map(Notice::detail))
        assertTrue(it.takeNotices().isEmpty())
    }

    @Test
    fun `a panic in the core is counted, and the process lives`() {
        val device = VectorDevice("""{"about":"","config":{},"steps":[]}""")
        val trailmark = Trailmark(device.client())
        repeat(3) { device.panicInside() }
        trailmark.track("still here")
        assertEquals(Pair(3L, 1L), trailmark.stats().run { panics to captured })
    }
}
