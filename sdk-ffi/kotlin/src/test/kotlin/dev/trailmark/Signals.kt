package dev.trailmark

import java.io.File

/** Prints which signals are caught, before the library is loaded and after it was used. */
fun main() {
    println(caught())
    Peer().use { peer ->
        peer.client().use {
            it.track("t")
            check(it.flushBlocking(LONG).delivered == 1L)
        }
    }
    println(caught())
}

private fun caught() =
    File("/proc/self/status").readLines().first { it.startsWith("SigCgt:") }.substringAfter(':').trim()
