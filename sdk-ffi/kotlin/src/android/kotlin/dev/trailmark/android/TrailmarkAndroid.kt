package dev.trailmark.android

import android.content.Context
import android.os.Handler
import android.os.Looper
import androidx.lifecycle.ProcessLifecycleOwner
import dev.trailmark.Options
import dev.trailmark.Trailmark
import dev.trailmark.TrailmarkException
import java.io.File

/** [Trailmark] in an Android app. */
public object TrailmarkAndroid {
    /**
     * Starts a client that knows its device, survives the end of the app, and notices it coming and going. To be called
     * once, in `Application.onCreate`, in the app's main process: a directory belongs to one process.
     *
     * ```
     * class Shop : Application() {
     *     override fun onCreate() {
     *         super.onCreate()
     *         trailmark = TrailmarkAndroid.start(this, "tm_pk_…", "https://analytics.example.com") {
     *             captureUncaught = true
     *         }
     *     }
     * }
     * ```
     *
     * The directory is in [Context.getNoBackupFilesDir]: a backup that is restored on a second device would otherwise
     * be the same install twice, with the same events to send. [configure] may choose another one.
     *
     * @throws TrailmarkException if there can be no such client.
     */
    @JvmStatic
    @JvmOverloads
    @Throws(TrailmarkException::class)
    public fun start(
        context: Context,
        writeKey: String,
        apiHost: String,
        configure: Options.() -> Unit = {},
    ): Trailmark {
        val app = context.applicationContext ?: context
        val options = Options().apply {
            directory = File(app.noBackupFilesDir, "trailmark")
            this.context = deviceContext(app)
        }
        val trailmark = Trailmark(writeKey, apiHost, options.apply(configure))
        onMainThread { ProcessLifecycleOwner.get().lifecycle.addObserver(AppLifecycle(trailmark, versionOf(app))) }
        return trailmark
    }
}

/** Observers are added there, and nowhere else. */
private fun onMainThread(action: () -> Unit) {
    val main = Looper.getMainLooper()
    if (Looper.myLooper() == main) action() else Handler(main).post(action)
}
