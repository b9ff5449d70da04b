package dev.trailmark.android

import androidx.lifecycle.DefaultLifecycleObserver
import androidx.lifecycle.LifecycleOwner
import dev.trailmark.Trailmark

/**
 * Captures the app's coming and going. A process that never shows anything (a job, a push message) captures neither.
 */
internal class AppLifecycle(private val trailmark: Trailmark, private val version: String) : DefaultLifecycleObserver {
    private var wasShown = false

    override fun onStart(owner: LifecycleOwner) {
        trailmark.appOpened(version, fromBackground = wasShown)
        wasShown = true
    }

    /** 700 ms after the last screen is gone, so that a rotation is no going. What is queued is sent. */
    override fun onStop(owner: LifecycleOwner) = trailmark.appBackgrounded()
}
