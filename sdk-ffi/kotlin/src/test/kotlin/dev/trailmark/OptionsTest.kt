package dev.trailmark

import dev.trailmark.ffi.InternalException
import dev.trailmark.ffi.uniffiEnsureInitialized
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.io.File
import java.time.Duration

class OptionsTest {
    @TempDir
    lateinit var directory: File

    @Test
    fun `what cannot be a client says why`() {
        assertThrows(TrailmarkException.Url::class.java) { Trailmark(KEY, "not an address") }
        assertThrows(TrailmarkException.Setting::class.java) { Trailmark("", NOBODY) }
        assertThrows(TrailmarkException.Setting::class.java) { Trailmark("tm_sk_secret", NOBODY) }
        assertThrows(TrailmarkException.Setting::class.java) { alone { anonymousId = "undefined" } }
        val itself = HashMap<String, Any?>().also { it["a"] = it }
        assertThrows(TrailmarkException.Setting::class.java) { alone { context = itself } }
        assertThrows(TrailmarkException.Transport::class.java) {
            Trailmark(KEY, "https://127.0.0.1:9") { extraRootPem = "no PEM" }
        }
        val error = assertThrows(TrailmarkException.Transport::class.java) { alone { proxy = "http://[" } }
        assertTrue(error.message!!.isNotEmpty())
    }

    @Test
    fun `a library that is not there, or of another version, says so`() {
        val missing = UnsatisfiedLinkError("Unable to load library 'trailmark_ffi'")
        assertThrows(TrailmarkException.Library::class.java) { opened { throw missing } }
        assertThrows(TrailmarkException.Library::class.java) { opened { throw InternalException("junk data left") } }
    }

    /** The checksums of the generated code. Starting a client leaves them out: they would be a fifth of its time. */
    @Test
    fun `the library is the one that the code was generated from`() = uniffiEnsureInitialized()

    @Test
    fun `a directory belongs to one client`() {
        fun open() = alone { directory = this@OptionsTest.directory }
        open().use { assertThrows(TrailmarkException.DirectoryInUse::class.java) { open() } }
        open().close()
    }

    @Test
    fun `those that want to join have one client`() {
        fun open() = alone { directory = this@OptionsTest.directory; join = true }
        open().use { first ->
            open().track("t")
            assertEquals(1, first.stats().captured)
        }
    }

    @Test
    fun `identity and events survive in the directory`() {
        fun open() = alone {
            directory = this@OptionsTest.directory.resolve("not/there/yet")
            durability = Durability.EveryEvent
            installId = "01934f3e-8a00-7000-8000-000000000001"
            anonymousId = "device-9"
        }
        open().use { it.track("t"); it.identify("u_7"); it.shutdown(Duration.ZERO) }
        open().use {
            val ids = listOf("01934f3e-8a00-7000-8000-000000000001", "device-9", "u_7")
            assertEquals(ids, listOf(it.installId, it.anonymousId, it.userId))
            assertEquals(Pair(2L, StorageHealth.Saved), it.stats().run { queued to storage })
        }
    }

    @Test
    fun `every setting arrives under its own name`() {
        val config = Options().apply {
            directory = this@OptionsTest.directory
            durability = Durability.Within(Duration.ofMillis(1))
            join = true
            context = mapOf("locale" to "de-DE")
            anonymousId = "2"
            installId = "3"
            flushAt = 4
            flushInterval = Duration.ofMillis(5)
            maxBatchEvents = 6
            maxQueueEvents = 7
            maxQueueBytes = 8
            maxAge = Duration.ofMillis(9)
            sessionIdle = Duration.ofMillis(10)
            sessionMax = Duration.ofMillis(11)
            backoff = Backoff(Duration.ofMillis(12), Duration.ofMillis(13))
            requestTimeout = Duration.ofMillis(14)
            extraRootPem = "15"
            proxy = "16"
        }.toConfig("key", "url")
        val expected = "Config(url=url, writeKey=key, directory=$directory, durability=Within(ms=1), join=true, " +
            "sdkName=$SDK_NAME, context={\"locale\":\"de-DE\"}, anonymousId=2, installId=3, flushAt=4, " +
            "flushIntervalMs=5, maxBatchEvents=6, maxQueueEvents=7, maxQueueBytes=8, maxAgeMs=9, sessionIdleMs=10, " +
            "sessionMaxMs=11, backoff=Backoff(baseMs=12, capMs=13), requestTimeoutMs=14, extraRootPem=15, proxy=16)"
        assertEquals(expected, config.toString())
    }

    @Test
    fun `what is not set is not said`() {
        val all = Options().toConfig("key", "url").toString().removeSuffix(")").split(", ")
        val said = all.filterNot { it.endsWith("=null") }
        assertEquals(listOf("Config(url=url", "writeKey=key", "join=false", "sdkName=$SDK_NAME"), said)
    }

    @Test
    fun `times that are none are none, and eternity is long`() {
        assertEquals(0UL, millis(Duration.ofSeconds(-5)))
        assertEquals(Long.MAX_VALUE.toULong(), millis(Duration.ofSeconds(Long.MAX_VALUE)))
        assertEquals(1_500UL, millis(Duration.ofMillis(1_500)))
    }
}
