package dev.trailmark

import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.ByteArrayOutputStream
import java.io.IOException
import java.io.PrintStream
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.concurrent.thread

class ExceptionTest {
    private val before = Thread.getDefaultUncaughtExceptionHandler()

    @AfterEach
    fun `as it was`() = Thread.setDefaultUncaughtExceptionHandler(before)

    private fun list(of: Map<String, Any?>) = (of["\$exception_list"] as List<*>).map { it as Map<*, *> }

    @Test
    fun `an error has its causes, and each of them its frames`() {
        val error = IllegalStateException("no card", IOException("unreachable"))
        val seen = captured { it.captureException(error, true, Level.WARNING, "pay", mapOf("cart" to 3)) }
        assertEquals(listOf("java.lang.IllegalStateException", "java.io.IOException"), list(seen).map { it["type"] })
        assertEquals(listOf("no card", "unreachable"), list(seen).map { it["value"] })
        val told = listOf("\$exception_level", "\$exception_fingerprint", "cart").map(seen::get)
        assertEquals(listOf("warning", "pay", 3L), told)
        val frames = (list(seen)[0]["stacktrace"] as Map<*, *>)["frames"] as List<*>
        val first = frames[0] as Map<*, *>
        assertTrue((first["function"] as String).startsWith("dev.trailmark.ExceptionTest."), "$first")
        assertEquals("ExceptionTest.kt", first["filename"])
        assertEquals(error.stackTrace[0].lineNumber.toLong(), first["lineno"])
        assertEquals(true, first["in_app"])
        assertTrue(frames.any { (it as Map<*, *>)["in_app"] == false })
    }

    @Test
    fun `causes that go round, or on for ever, end`() {
        val round = IllegalStateException("a")
        round.initCause(IllegalStateException("b", round))
        assertEquals(2, thrownBy(round, emptyList()).size)
        class Endless : Throwable() {
            override val cause get() = Endless()
        }
        assertEquals(64, thrownBy(Endless(), emptyList()).size)
    }

    @Test
    fun `an error that says nothing about itself is captured all the same`() {
        class Mute : Throwable() {
            override val message get() = throw IllegalStateException()
            override val cause get() = throw IllegalStateException()
            override fun toString() = throw IllegalStateException()
        }
        val seen = captured { it.captureException(Mute()) }
        assertEquals(listOf(""), list(seen).map { it["value"] })
    }

    @Test
    fun `the app's own code is what it says, or what is not the platform's`() {
        assertTrue(isInApp("com.shop.Cart", emptyList()))
        val system = listOf("java.util.List", "kotlin.Unit", "kotlinx.coroutines.Job", "android.os.Looper")
        for (name in system) assertFalse(isInApp(name, emptyList()), name)
        assertTrue(isInApp("com.shop.Cart", listOf("com.shop.")))
        assertFalse(isInApp("com.lib.Thing", listOf("com.shop.")))
    }

    private fun die(error: Throwable) = thread(name = "doomed") { throw error }.join()

    @Test
    fun `an error that nobody catches is captured, and whoever was told before is told after`() {
        val told = CopyOnWriteArrayList<Throwable>()
        Thread.setDefaultUncaughtExceptionHandler { _, error -> told += error }
        val previous = Thread.getDefaultUncaughtExceptionHandler()
        val error = IllegalStateException("nobody's")
        var seen = emptyMap<String, Any?>()
        alone {
            captureUncaught = true
            beforeSend = { draft -> draft.also { seen = HashMap(it.properties) } }
        }.use { die(error) }
        assertEquals("fatal", seen["\$exception_level"])
        assertEquals(mapOf("handled" to false), list(seen)[0]["mechanism"])
        assertEquals(listOf<Throwable>(error), told)
        assertSame(previous, Thread.getDefaultUncaughtExceptionHandler())
    }

    @Test
    fun `without a handler before it, the error is printed as Java would`() {
        Thread.setDefaultUncaughtExceptionHandler(null)
        val printed = ByteArrayOutputStream()
        val err = System.err
        System.setErr(PrintStream(printed, true))
        try {
            alone { captureUncaught = true }.use { die(IllegalStateException("nobody's")) }
        } finally {
            System.setErr(err)
        }
        val first = "Exception in thread \"doomed\" java.lang.IllegalStateException: nobody's"
        assertTrue(printed.toString().startsWith(first), "$printed")
    }

    @Test
    fun `a handler that was put in front of it still has it behind, as a link that hands on`() {
        val told = CopyOnWriteArrayList<String>()
        Thread.setDefaultUncaughtExceptionHandler { _, _ -> told += "first" }
        val trailmark = alone { captureUncaught = true }
        val ours = Thread.getDefaultUncaughtExceptionHandler()
        Thread.setDefaultUncaughtExceptionHandler { thread, error ->
            told += "front"
            ours.uncaughtException(thread, error)
        }
        trailmark.close()
        die(IllegalStateException())
        assertEquals(listOf("front", "first"), told)
        assertEquals(0, trailmark.stats().captured)
    }

    @Test
    fun `nobody is told who was not asked`() {
        Thread.setDefaultUncaughtExceptionHandler(null)
        alone().use { assertEquals(null, Thread.getDefaultUncaughtExceptionHandler()) }
    }
}
