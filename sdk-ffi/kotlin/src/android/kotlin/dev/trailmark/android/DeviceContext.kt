package dev.trailmark.android

import android.content.Context
import android.content.res.Configuration
import android.os.Build
import java.util.Locale
import java.util.TimeZone

/** The least width of a tablet's screen, in logical pixels, as Android's own resources (`sw600dp`) have it. */
private const val TABLET_WIDTH = 600

/** The circumstances, under the names that the server and the dashboard know. What is not known is left out. */
internal fun deviceContext(context: Context): Map<String, Any?> = mapOf(
    "app" to mapOf("name" to nameOf(context), "version" to versionOf(context)),
    "os" to mapOf("name" to "Android", "version" to Build.VERSION.RELEASE),
    "arch" to System.getProperty("os.arch"),
    "device" to mapOf("manufacturer" to Build.MANUFACTURER, "model" to Build.MODEL, "type" to kindOf(context)),
    "screen" to screenOf(context),
    "locale" to Locale.getDefault().toLanguageTag(),
    "timezone" to TimeZone.getDefault().id,
).filterValues { it != null }

/** The version that people see, or nothing. */
internal fun versionOf(context: Context): String =
    runCatching { context.packageManager.getPackageInfo(context.packageName, 0).versionName }.getOrNull().orEmpty()

private fun nameOf(context: Context): String =
    runCatching { "${context.applicationInfo.loadLabel(context.packageManager)}" }.getOrDefault(context.packageName)

private fun kindOf(context: Context): String = context.resources.configuration.run {
    when (uiMode and Configuration.UI_MODE_TYPE_MASK) {
        Configuration.UI_MODE_TYPE_TELEVISION -> "tv"
        Configuration.UI_MODE_TYPE_WATCH -> "watch"
        else -> if (smallestScreenWidthDp >= TABLET_WIDTH) "tablet" else "phone"
    }
}

private fun screenOf(context: Context): Map<String, Any?> = context.resources.displayMetrics.run {
    mapOf("width" to widthPixels, "height" to heightPixels, "scale" to density)
}
