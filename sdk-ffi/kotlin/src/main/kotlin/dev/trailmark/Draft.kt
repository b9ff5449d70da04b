package dev.trailmark

/**
 * An event on its way to being captured, as [Options.beforeSend] gets it. What is changed here is what is stored and
 * sent.
 *
 * Numbers are a [Long] or [Double] where that loses no digit, else a [java.math.BigInteger] or [java.math.BigDecimal].
 */
public class Draft internal constructor(
    /** What happened. That of a reserved event (`$…`) stays, whatever is written here. */
    public var name: String,
    /** What is known about it, what was registered included. */
    public var properties: MutableMap<String, Any?>,
    /** Person properties of which the last writer wins. */
    public var set: MutableMap<String, Any?>,
    /** Person properties of which the first writer wins. */
    public var setOnce: MutableMap<String, Any?>,
) {
    override fun toString(): String = "Draft($name, $properties, $set, $setOnce)"
}

internal fun draftOf(from: dev.trailmark.ffi.Draft) =
    Draft(from.name, JsonMap(from.properties), JsonMap(from.set), JsonMap(from.setOnce))

internal fun Draft.toFfi() = dev.trailmark.ffi.Draft(
    name = wellFormed(name),
    properties = jsonOf(properties).orEmpty(),
    set = jsonOf(set).orEmpty(),
    setOnce = jsonOf(setOnce).orEmpty(),
)
