package dev.trailmark

import com.sun.net.httpserver.HttpServer
import dev.trailmark.okhttp.RequestTiming
import okhttp3.OkHttpClient
import okhttp3.Request
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.IOException
import java.net.InetSocketAddress
import java.util.concurrent.CopyOnWriteArrayList

class RequestTimingTest {
    private val seen = CopyOnWriteArrayList<Map<String, Any?>>()
    private fun client() = alone { beforeSend = { draft -> draft.also { seen += HashMap(it.properties) } } }

    @Test
    fun `a request is captured with its answer and its time, and without its secrets`() {
        val server = HttpServer.create(InetSocketAddress("127.0.0.1", 0), 0)
        server.createContext("/") { it.use { exchange -> exchange.sendResponseHeaders(404, -1) } }
        server.start()
        client().use { trailmark ->
            val http = OkHttpClient.Builder().addNetworkInterceptor(RequestTiming(trailmark)).build()
            val url = "http://127.0.0.1:${server.address.port}/carts/7?token=secret"
            http.newCall(Request.Builder().url(url).build()).execute().use { assertEquals(404, it.code) }
        }
        server.stop(0)
        val request = seen.single()
        assertEquals(listOf("GET", "/carts/7", 404L), listOf("method", "path", "status").map(request::get))
        assertTrue((request["duration_ms"] as Number).toDouble() > 0)
    }

    @Test
    fun `a request without an answer says why, and fails as it would`() {
        client().use { trailmark ->
            val http = OkHttpClient.Builder().addInterceptor(RequestTiming(trailmark)).build()
            assertThrows(IOException::class.java) { http.newCall(Request.Builder().url("$NOBODY/x").build()).execute() }
        }
        assertEquals("java.net.ConnectException", seen.single()["error"])
    }
}
