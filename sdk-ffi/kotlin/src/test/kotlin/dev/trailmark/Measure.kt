package dev.trailmark

import dev.trailmark.ffi.Client
import dev.trailmark.ffi.Config
import java.lang.management.ManagementFactory
import java.time.Duration

private const val WARM_UP = 20_000
private const val CALLS = 200_000

/**
 * Prints what `track` costs in memory, with nothing sent: through [Trailmark] with a map, through the generated client
 * with ready JSON, and the JSON alone; and how long the first one takes from the start of the process and of the
 * library.
 */
fun main() {
    val loading = System.nanoTime()
    val trailmark = alone()
    trailmark.track("first", mapOf("total" to 12.5))
    val first = System.nanoTime()
    val process = System.currentTimeMillis() - ManagementFactory.getRuntimeMXBean().startTime
    val properties = mapOf("total" to 12.5, "currency" to "EUR", "items" to 3, "gift" to false)
    val json = jsonOf(properties)!!
    val hour = Duration.ofHours(1).toMillis().toULong()
    val generated = Client.open(Config(url = NOBODY, writeKey = KEY, flushAt = 1_000_000u, flushIntervalMs = hour))
    val wrapped = Trailmark(KEY, NOBODY) { flushAt = 1_000_000; flushInterval = Duration.ofHours(1) }
    val track = time { wrapped.track("checkout", properties) }
    val bare = time { generated.track("checkout", json) }
    val encode = time { jsonOf(properties)!!.length }
    check(wrapped.stats().run { captured == (WARM_UP + CALLS).toLong() && delivered == 0L && panics == 0L })
    println(
        "kotlin: track $track ns, generated track with ready JSON $bare ns, JSON alone $encode ns; " +
            "first track ${(first - loading) / 1_000_000} ms after loading began, $process ms after the process did",
    )
    for (client in listOf(trailmark, wrapped)) client.shutdown(Duration.ZERO)
    generated.shutdown(0UL)
}

/** Nanoseconds of a call. */
private fun time(call: () -> Any?): Long {
    repeat(WARM_UP) { call() }
    val start = System.nanoTime()
    repeat(CALLS) { call() }
    return (System.nanoTime() - start) / CALLS
}
