package dev.trailmark

import java.lang.Thread.UncaughtExceptionHandler

/** Tells [capture] of errors that nobody catches, and then whoever was told before. */
internal class Uncaught(private val capture: (Throwable) -> Unit) : UncaughtExceptionHandler {
    private val previous: UncaughtExceptionHandler? = Thread.getDefaultUncaughtExceptionHandler()

    @Volatile
    private var listening = true

    override fun uncaughtException(thread: Thread, error: Throwable) {
        try {
            if (listening) capture(error)
        } finally {
            previous?.uncaughtException(thread, error) ?: print(thread, error)
        }
    }

    /** What Java does where there is no handler. */
    private fun print(thread: Thread, error: Throwable) {
        System.err.print("Exception in thread \"${thread.name}\" ")
        error.printStackTrace()
    }

    fun install(): Uncaught = also { Thread.setDefaultUncaughtExceptionHandler(it) }

    /** Ends telling. A handler that was put in front of it since then keeps it, as a link that only hands on. */
    fun remove() {
        listening = false
        if (Thread.getDefaultUncaughtExceptionHandler() === this) Thread.setDefaultUncaughtExceptionHandler(previous)
    }
}
