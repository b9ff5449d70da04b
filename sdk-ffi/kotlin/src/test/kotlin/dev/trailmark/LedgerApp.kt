package dev.trailmark

import java.io.File
import java.time.Duration

/** Events between two words, after any of which the app may be killed. */
private const val STRIDE = 20L

/**
 * The app that is killed: captures until it has captured them all, in this life or an earlier one, and delivers them.
 */
fun main() {
    val told = { name: String -> System.getenv(name) }
    val events = told("DEVICE_EVENTS")?.toLong() ?: 10_000
    val trailmark = Trailmark(told("DEVICE_KEY"), told("DEVICE_URL")) {
        directory = File(told("DEVICE_DIRECTORY"))
        flushAt = 200
        backoff = Backoff(Duration.ofMillis(10), Duration.ofMillis(100))
    }
    // What was captured is what the client remembers: the app has no memory of its own.
    for (n in trailmark.stats().captured until events) {
        trailmark.track("tracked", mapOf("n" to n))
        if (n % STRIDE == 0L) say("captured")
    }
    while (trailmark.flushBlocking(Duration.ofMillis(50)).pending > 0) say("delivering")
    say("finished")
}

private fun say(word: String) {
    println(word)
    System.out.flush()
}
