package dev.trailmark

import dev.trailmark.ffi.BeforeSend
import dev.trailmark.ffi.CallbackException
import dev.trailmark.ffi.OnNotice

/** The app's hook, as the core calls it. */
internal class Hook(private val beforeSend: (Draft) -> Draft?) : BeforeSend {
    override fun beforeSend(event: dev.trailmark.ffi.Draft): dev.trailmark.ffi.Draft? =
        reported { beforeSend.invoke(draftOf(event))?.toFfi() }
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
