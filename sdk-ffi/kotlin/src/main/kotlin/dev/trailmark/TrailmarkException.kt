package dev.trailmark

import dev.trailmark.ffi.ConfigException
import dev.trailmark.ffi.InternalException

/** Why there is no client. Nothing else in this SDK throws. */
public sealed class TrailmarkException(message: String, cause: Throwable?) : Exception(message, cause) {
    /** The server's address. */
    public class Url internal constructor(detail: String, cause: Throwable) : TrailmarkException(detail, cause)

    /** The key or another setting. */
    public class Setting internal constructor(detail: String, cause: Throwable) : TrailmarkException(detail, cause)

    /** The certificates to trust, the proxy, or TLS. */
    public class Transport internal constructor(detail: String, cause: Throwable) : TrailmarkException(detail, cause)

    /** Another client has the directory. */
    public class DirectoryInUse internal constructor(detail: String, cause: Throwable) :
        TrailmarkException(detail, cause)

    /** The system refused a thread. */
    public class NoThread internal constructor(detail: String, cause: Throwable) : TrailmarkException(detail, cause)

    /** The native library was not found, is of another version, or does not fit this system. */
    public class Library internal constructor(detail: String, cause: Throwable) : TrailmarkException(detail, cause)
}

/** What [open] opens; what it throws, as this SDK says it. */
internal inline fun <T> opened(open: () -> T): T = try {
    open()
} catch (error: ConfigException) {
    throw typed(error)
} catch (error: LinkageError) {
    throw TrailmarkException.Library("the native library could not be loaded: $error", error)
} catch (error: InternalException) {
    throw TrailmarkException.Library("the native library is of another version: $error", error)
}

internal fun typed(error: ConfigException): TrailmarkException = when (error) {
    is ConfigException.Url -> TrailmarkException.Url(error.detail, error)
    is ConfigException.Setting -> TrailmarkException.Setting(error.detail, error)
    is ConfigException.Transport -> TrailmarkException.Transport(error.detail, error)
    is ConfigException.DirectoryInUse -> TrailmarkException.DirectoryInUse(error.detail, error)
    is ConfigException.Thread -> TrailmarkException.NoThread(error.detail, error)
}
