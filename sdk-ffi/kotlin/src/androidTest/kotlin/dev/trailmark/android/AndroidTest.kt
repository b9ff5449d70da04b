package dev.trailmark.android

import android.app.Activity
import android.app.Application
import android.content.Context
import androidx.lifecycle.ProcessLifecycleOwner
import dev.trailmark.StorageHealth
import dev.trailmark.Trailmark
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.ConscryptMode
import org.robolectric.shadows.ShadowLooper
import java.time.Duration
import java.util.concurrent.CopyOnWriteArrayList

/** Nobody listens on the port of discarding. */
private const val NOBODY = "http://127.0.0.1:9"

@RunWith(RobolectricTestRunner::class)
@ConscryptMode(ConscryptMode.Mode.OFF)
@Config(sdk = [35], manifest = Config.NONE)
class AndroidTest {
    private val app: Application = RuntimeEnvironment.getApplication()
    private val seen = CopyOnWriteArrayList<Pair<String, Map<String, Any?>>>()
    private lateinit var trailmark: Trailmark

    @Before
    fun start() {
        attachProcessLifecycle()
        trailmark = TrailmarkAndroid.start(app, "tm_pk_test", NOBODY) {
            flushAt = 1_000
            flushInterval = Duration.ofHours(1)
            beforeSend = { draft -> draft.also { seen += it.name to HashMap(it.properties) } }
        }
    }

    @After
    fun stop() {
        trailmark.shutdown(Duration.ZERO)
    }

    /** What the library's start-up provider does in an app. */
    private fun attachProcessLifecycle() {
        val companion = ProcessLifecycleOwner::class.java.getDeclaredField("Companion").get(null)
        val takes = arrayOf<Class<*>>(Context::class.java)
        val named = companion.javaClass.methods.filter { it.name.startsWith("init") }
        val attach = named.first { it.parameterTypes.contentEquals(takes) }
        attach.invoke(companion, app)
    }

    @Test
    fun `the app's coming and going is captured`() {
        val activity = Robolectric.buildActivity(Activity::class.java).setup()
        activity.pause().stop()
        ShadowLooper.idleMainLooper(Duration.ofSeconds(1).toMillis(), java.util.concurrent.TimeUnit.MILLISECONDS)
        activity.start().resume()
        val of = seen.map { (name, properties) -> name to properties["from_background"] }
        assertEquals(
            listOf("installed" to null, "opened" to false, "backgrounded" to null, "opened" to true),
            of.map { (name, back) -> name.removePrefix("\$app_") to back },
        )
    }

    @Test
    fun `the events are in the directory that no backup has`() {
        assertEquals(StorageHealth.Saved, trailmark.stats().storage)
        assertTrue(app.noBackupFilesDir.resolve("trailmark").list()!!.isNotEmpty())
    }

    @Test
    fun `the device is known`() {
        val context = deviceContext(app)
        assertEquals(mapOf("name" to "Android", "version" to "15"), context["os"])
        assertEquals("phone", (context["device"] as Map<*, *>)["type"])
        assertEquals(mapOf("width" to 320, "height" to 470, "scale" to 1.0f), context["screen"])
        assertEquals("en-US", context["locale"])
    }

    @Test
    @Config(qualifiers = "sw720dp-television")
    fun `a television is one`() {
        assertEquals("tv", (deviceContext(app)["device"] as Map<*, *>)["type"])
    }

    @Test
    @Config(qualifiers = "sw720dp")
    fun `a tablet is one`() {
        assertEquals("tablet", (deviceContext(app)["device"] as Map<*, *>)["type"])
    }
}
