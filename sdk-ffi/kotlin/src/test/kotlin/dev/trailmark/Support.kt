package dev.trailmark

import com.sun.net.httpserver.HttpExchange
import com.sun.net.httpserver.HttpServer
import java.io.File
import java.net.InetAddress
import java.net.InetSocketAddress
import java.time.Duration
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.CountDownLatch
import java.util.concurrent.Executors
import java.util.zip.GZIPInputStream

internal val LONG: Duration = Duration.ofSeconds(20)
internal const val KEY = "tm_pk_test"

/** Nobody listens on the port of discarding. */
internal const val NOBODY = "http://127.0.0.1:9"

/** A client that sends only when asked to, to nobody. */
internal fun alone(configure: Options.() -> Unit = {}) = Trailmark(KEY, NOBODY) {
    flushAt = 1_000
    flushInterval = Duration.ofHours(1)
    configure()
}

/** The same, to a server. */
internal fun Peer.client(configure: Options.() -> Unit = {}) = Trailmark(KEY, url) {
    flushAt = 1_000
    flushInterval = Duration.ofHours(1)
    configure()
}

/** A server that takes everything and remembers it. */
internal class Peer : AutoCloseable {
    private val server = HttpServer.create(InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0)
    private val threads = Executors.newCachedThreadPool()

    /** Holds back all answers until it is at zero. */
    @Volatile
    var gate = CountDownLatch(0)

    /** Is at zero when a request has come. */
    val reached = CountDownLatch(1)

    /** The requests' bodies. */
    val bodies = CopyOnWriteArrayList<Map<*, *>>()

    /** The header `Trailmark-Sdk` of each request. */
    val sdks = CopyOnWriteArrayList<String>()

    val url get() = "http://127.0.0.1:${server.address.port}"

    /** All events, in the order in which they came. */
    val events get() = bodies.flatMap { it["batch"] as List<*> }.map { it as Map<*, *> }

    init {
        server.executor = threads
        server.createContext("/v1/batch", ::take)
        server.start()
    }

    private fun take(exchange: HttpExchange) = exchange.use {
        val gzipped = it.requestHeaders.getFirst("Content-Encoding") == "gzip"
        val body = it.requestBody.let { raw -> if (gzipped) GZIPInputStream(raw) else raw }.readAllBytes()
        val envelope = JsonReader(body.decodeToString()).read() as Map<*, *>
        reached.countDown()
        gate.await()
        bodies += envelope
        sdks += it.requestHeaders.getFirst("Trailmark-Sdk")
        val count = (envelope["batch"] as List<*>).size
        answer(it, """{"accepted":$count,"results":[],"next_send_after_ms":0}""")
    }

    private fun answer(exchange: HttpExchange, text: String) {
        exchange.responseHeaders.add("Content-Type", "application/json")
        exchange.sendResponseHeaders(202, text.length.toLong())
        exchange.responseBody.write(text.toByteArray())
    }

    override fun close() {
        gate.countDown()
        server.stop(0)
        threads.shutdownNow()
    }
}

/** The names of the threads that the system knows of this process. */
internal fun systemThreads(): List<String> = File("/proc/self/task").list()!!.mapNotNull { id ->
    runCatching { File("/proc/self/task/$id/comm").readText().trim() }.getOrNull()
}

/** Waits for what happens elsewhere. */
internal fun until(what: String, holds: () -> Boolean) {
    val deadline = System.nanoTime() + LONG.toNanos()
    while (!holds()) {
        check(System.nanoTime() < deadline) { "still not: $what" }
        Thread.onSpinWait()
    }
}

/** The properties of the only event that a hook sees. */
internal fun captured(capture: (Trailmark) -> Unit): Map<String, Any?> {
    var seen: Map<String, Any?>? = null
    alone { beforeSend = { draft -> draft.also { seen = LinkedHashMap(it.properties) } } }.use(capture)
    return checkNotNull(seen) { "nothing was captured" }
}
