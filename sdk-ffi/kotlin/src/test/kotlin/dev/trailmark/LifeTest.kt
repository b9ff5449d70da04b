package dev.trailmark

import dev.trailmark.ffi.VectorDevice
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test
import java.util.concurrent.CountDownLatch
import kotlin.concurrent.thread

private const val THREADS = 16
private const val CALLS = 500
private const val FLUSHES = 200

class LifeTest {
    @Test
    fun `sixteen threads capture, and each event is counted`() = Peer().use { peer ->
        peer.client { flushAt = 100 }.use { trailmark ->
            List(THREADS) { n -> thread { repeat(CALLS) { trailmark.track("t", mapOf("n" to n, "call" to it)) } } }
                .forEach(Thread::join)
            assertEquals(THREADS.toLong() * CALLS, trailmark.stats().captured)
            assertEquals(0, trailmark.flushBlocking(LONG).pending)
            assertEquals(THREADS.toLong() * CALLS, trailmark.stats().delivered)
        }
        val of = peer.events.map { it["properties"] as Map<*, *> }
        assertEquals(THREADS * CALLS, of.toSet().size)
        for ((_, calls) in of.groupBy({ it["n"] }, { it["call"] })) assertEquals((0L until CALLS).toList(), calls)
    }

    @Test
    fun `two hundred flushes at once all come back, also those that nobody waits for`() = Peer().use { peer ->
        peer.client().use { trailmark ->
            trailmark.track("t")
            peer.gate = CountDownLatch(1)
            runBlocking {
                withTimeout(LONG.toMillis()) {
                    val flushes = List(FLUSHES) { async(Dispatchers.Default) { trailmark.flush() } }
                    val given_up = List(FLUSHES) { launch(Dispatchers.Default) { trailmark.flush() } }
                    peer.reached.await()
                    given_up.forEach { it.cancel() }
                    peer.gate.countDown()
                    assertEquals(setOf(0L), flushes.awaitAll().map { it.pending }.toSet())
                    trailmark.ready(1)
                }
            }
            assertEquals(Pair(1L, 0L), trailmark.stats().run { delivered to panics })
        }
    }

    @Test
    fun `what follows a flush does not run on the client's thread`() = Peer().use { peer ->
        peer.client().use { trailmark ->
            trailmark.track("t")
            var report: FlushReport? = null
            runBlocking(Dispatchers.Unconfined) {
                withTimeout(LONG.toMillis()) {
                    trailmark.flush()
                    trailmark.track("after it")
                    // Would wait for itself.
                    report = trailmark.flushBlocking(LONG)
                }
            }
            assertEquals(1, report?.delivered)
        }
    }

    @Test
    fun `a close ends the flushes that wait, and loses nothing of what is not sent`() = Peer().use { peer ->
        val trailmark = peer.client()
        trailmark.track("t")
        peer.gate = CountDownLatch(1)
        runBlocking {
            withTimeout(LONG.toMillis()) {
                val flushes = List(20) { async(Dispatchers.Default) { trailmark.flush() } }
                peer.reached.await()
                val report = trailmark.shutdown(java.time.Duration.ofMillis(100))
                assertEquals(Pair(0L, 1L), report.delivered to report.pending)
                assertEquals(setOf(1L), flushes.awaitAll().map { it.pending }.toSet())
            }
        }
        assertEquals(1, trailmark.stats().queued)
    }

    @Test
    fun `after the close every call is harmless, and events are counted as shut down`() {
        val trailmark = alone()
        trailmark.close()
        trailmark.close()
        trailmark.track("late")
        trailmark.identify("u_7")
        trailmark.captureException(IllegalStateException())
        trailmark.appBackgrounded()
        runBlocking { withTimeout(LONG.toMillis()) { trailmark.flush(); trailmark.ready(1) } }
        trailmark.flushBlocking(LONG)
        assertEquals(Pair(mapOf("shut_down" to 4L), 0L), trailmark.stats().run { dropped to panics })
        assertNotEquals("", trailmark.anonymousId)
    }

    @Test
    fun `without its native object a capture does nothing, and a question is an IllegalStateException`() {
        val client = VectorDevice("""{"about":"","config":{},"steps":[]}""").client()
        val trailmark = Trailmark(client)
        client.close()
        trailmark.track("nowhere")
        trailmark.reset()
        assertThrows(IllegalStateException::class.java) { trailmark.stats() }
        assertThrows(IllegalStateException::class.java) { trailmark.installId }
        assertThrows(IllegalStateException::class.java) { runBlocking { trailmark.flush() } }
    }

    @Test
    fun `the SDK says which one it is`() = Peer().use { peer ->
        peer.client().use { it.track("t") }
        assertEquals(setOf("trailmark-kotlin/${System.getProperty("trailmark.version")}"), peer.sdks.toSet())
    }
}
