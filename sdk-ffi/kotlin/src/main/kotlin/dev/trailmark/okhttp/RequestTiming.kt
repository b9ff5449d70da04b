package dev.trailmark.okhttp

import dev.trailmark.Trailmark
import okhttp3.Interceptor
import okhttp3.Response
import java.io.IOException
import java.time.Duration

/**
 * Captures each request of an OkHttp client with its time, as `$request`:
 *
 * ```
 * OkHttpClient.Builder().addNetworkInterceptor(RequestTiming(trailmark)).build()
 * ```
 *
 * As a network interceptor it sees each redirect and retry, and no answer from the cache; with `addInterceptor` the
 * whole call once, waits included. OkHttp is not a dependency of this package: the app has it.
 */
public class RequestTiming(private val trailmark: Trailmark) : Interceptor {
    @Throws(IOException::class)
    override fun intercept(chain: Interceptor.Chain): Response {
        val start = System.nanoTime()
        val elapsed = { Duration.ofNanos(System.nanoTime() - start) }
        val (method, url) = chain.request().run { method to url.toString() }
        try {
            val response = chain.proceed(chain.request())
            trailmark.captureRequest(method, url, response.code, elapsed())
            return response
        } catch (error: IOException) {
            trailmark.captureRequest(method, url, duration = elapsed(), error = error.javaClass.name)
            throw error
        }
    }
}
