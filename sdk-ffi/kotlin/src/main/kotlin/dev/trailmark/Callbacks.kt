package dev.trailmark

import dev.trailmark.ffi.BeforeSend
import dev.trailmark.ffi.CallbackException
import dev.trailmark.ffi.OnNotice

/**
 * The app's hook, as the core calls it. What the hook captures itself does not come to it again: it would without end,
 * and a stack that is full below native code ends the process.
 */
internal class Hook(private val beforeSend: (Draft) -> Draft?) : BeforeSend {
    private val running = ThreadLocal<Boolean>()

    override fun beforeSend(event: dev.trailmark.ffi.Draft): dev.trailmark.ffi.Draft? {
        if (running.get() == true) return event
        running.set(true)
        try {
            return reported { beforeSend.invoke(draftOf(event))?.toFfi() }
        } finally {
            running.remove()
        }
    }
}

/** The app's listener, as the core calls it. */
internal class Listener(private val onNotice: (Notice) -> Unit) : OnNotice {
    override fun onNotice(notice: dev.trailmark.ffi.Notice): Unit = reported { onNotice.invoke(noticeOf(notice)) }
}

/**
 * Everything that is thrown, errors such as a full stack included, reaches the core as the one thing that it expects.
 */
private inline fun <T> reported(call: () -> T): T = try {
    call()
} catch (failure: Throwable) {
    throw CallbackException.Failed(failure.javaClass.name)
}
