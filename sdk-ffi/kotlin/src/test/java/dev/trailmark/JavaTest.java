package dev.trailmark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Map;
import kotlin.Unit;
import org.junit.jupiter.api.Test;

class JavaTest {
    private static final String NOBODY = "http://127.0.0.1:9";

    private static Options options() {
        Options options = new Options();
        options.setFlushAt(1_000);
        options.setFlushInterval(Duration.ofHours(1));
        options.setBeforeSend(draft -> draft.getName().equals("debug") ? null : draft);
        options.setOnNotice(notice -> Unit.INSTANCE);
        return options;
    }

    @Test
    void everythingCanBeCalledFromJava() throws TrailmarkException {
        try (Trailmark trailmark = new Trailmark("tm_pk_test", NOBODY, options())) {
            trailmark.track("checkout", Map.of("total", 12.5));
            trailmark.track("checkout");
            trailmark.track("debug");
            trailmark.identify("u_7", Map.of("plan", "pro"));
            trailmark.captureException(new IllegalStateException("no card"));
            trailmark.captureRequest("GET", "/health", 200, Duration.ofMillis(12));
            Capture paid = new Capture("order_paid");
            paid.setUserId("u_7");
            trailmark.capture(paid);
            assertEquals("u_7", trailmark.getUserId());
            assertEquals(Map.of("before_send", 1L), trailmark.stats().getDropped());
            assertEquals(6, trailmark.flushBlocking(Duration.ofSeconds(20)).getPending());
        }
    }

    @Test
    void nothingThatIsNullThrows() throws TrailmarkException {
        try (Trailmark trailmark = new Trailmark("tm_pk_test", NOBODY)) {
            trailmark.track(null);
            trailmark.track(null, null);
            trailmark.screen(null);
            trailmark.identify(null);
            trailmark.alias(null);
            trailmark.group(null, null);
            trailmark.register(null);
            trailmark.registerOnce(null);
            trailmark.unregister(null);
            trailmark.setContext(null);
            trailmark.setPersonProperties(null);
            trailmark.appOpened(null);
            trailmark.captureRequest(null, null);
            trailmark.captureException(null);
            trailmark.captureException(null, true, null, null, null);
            trailmark.capture((Capture) null);
            trailmark.capture(new Capture(null));
            trailmark.capture(null, null);
            Stats stats = trailmark.stats();
            assertTrue(stats.getCaptured() >= 8, stats.toString());
            assertEquals(2, stats.getPanics(), "what is to be captured is not there");
        }
    }

    @Test
    void aClientThatCannotBeIsATypedError() {
        assertThrows(TrailmarkException.Url.class, () -> new Trailmark("tm_pk_test", null));
    }
}
