package dev.trailmark

import kotlinx.coroutines.runBlocking

/** Threads that the JVM starts and ends as it likes, by the beginnings of their names. */
private val JVM = listOf(
    "java", "GC ", "G1 ", "VM ", "C1 ", "C2 ", "Sweeper", "Reference ", "Finalizer", "Signal ", "Service ", "Monitor ",
    "Notification", "Common-Cleaner", "Cleaner-", "JNA ", "Attach ", "DefaultDispatch", "kotlinx.", "HTTP-Dispatcher",
    "server-timer", "idle-timeout", "pool-",
)

/**
 * Prints the threads that three clients have while they work, and those that are left of them: by the names that the
 * system knows, so those of Rust are among them. A thread without a name has that of the one that made it, so none
 * hides.
 */
fun main() = Peer().use { peer ->
    peer.client().close()
    val before = others()
    val clients = List(3) { peer.client { onNotice = {}; beforeSend = { draft -> draft } } }
    for (client in clients) {
        client.track("")
        client.track("t")
        check(runBlocking { client.flush() }.delivered == 1L)
    }
    println(others() - before.toSet())
    clients.forEach(Trailmark::close)
    println(others() - before.toSet())
}

private fun others() = systemThreads().filterNot { name -> JVM.any(name::startsWith) }.sorted()
