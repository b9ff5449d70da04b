package dev.trailmark

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File
import java.util.concurrent.TimeUnit

/** What only a process of its own can tell, because others have loaded the library already. */
class ProcessTest {
    private fun run(program: String): List<String> {
        val java = File(System.getProperty("java.home"), "bin/java").path
        val process = ProcessBuilder(
            java, "-Djna.library.path=${System.getProperty("jna.library.path")}",
            "-cp", System.getProperty("surefire.test.class.path") ?: System.getProperty("java.class.path"), program,
        ).redirectErrorStream(true).start()
        val lines = process.inputStream.bufferedReader().readLines()
        assertTrue(process.waitFor(LONG.toSeconds(), TimeUnit.SECONDS), "still runs")
        assertEquals(0, process.exitValue(), lines.joinToString("\n"))
        return lines
    }

    @Test
    fun `the host's signal handlers are untouched`() {
        val (before, after) = run("dev.trailmark.SignalsKt")
        assertTrue(before.toULong(16) != 0UL)
        assertEquals(before, after)
    }

    @Test
    fun `no thread is left after the shutdown`() {
        val (open, left) = run("dev.trailmark.ThreadsKt")
        assertEquals("[trailmark, trailmark, trailmark]", open)
        assertEquals("[]", left)
    }
}
