//! The statements of [`delivery`](super).

/// `stored` is what the writer counted as it stored the rows (`installs_stored`): no row of the events is read.
///
/// What was accepted and then erased counts as dropped, with the `erased` that the install knows of itself.
///
/// Sums of strangers' numbers may leave 64 bits: they are numeric, and cut to what fits; of no installs they are 0.
pub(super) const DELIVERY: &str = "
    WITH chosen AS MATERIALIZED (
        SELECT install_id, sdk, release, captured, queued, first_seen_at, last_seen_at, COALESCE(stored, 0) AS stored,
               CASE WHEN erased.events IS NULL THEN dropped
                    ELSE dropped || jsonb_build_object('erased', COALESCE((dropped->>'erased')::bigint, 0) + erased.events)
               END AS dropped
        FROM installs LEFT JOIN installs_stored USING (project_id, install_id)
        LEFT JOIN erased_by_install erased USING (project_id, install_id)
        WHERE project_id = $1
          AND last_seen_at >= COALESCE($2, '-infinity') AND last_seen_at < COALESCE($3, 'infinity')),
    judged AS MATERIALIZED (
        SELECT chosen.*, greatest(0, captured - dropped_total - queued - stored) AS lost
        FROM chosen CROSS JOIN LATERAL (
            SELECT COALESCE(sum(value::bigint), 0)::bigint AS dropped_total FROM jsonb_each_text(dropped)) d),
    sums AS MATERIALIZED (
        SELECT *, row_number() OVER (PARTITION BY which ORDER BY lost DESC, captured DESC, name COLLATE \"C\") AS place
        FROM (SELECT grouping(release, sdk) AS which, COALESCE(release, sdk) AS name, count(*) AS installs,
                     least(COALESCE(sum(captured), 0), 9223372036854775807)::bigint AS captured,
                     least(COALESCE(sum(stored), 0), 9223372036854775807)::bigint AS stored,
                     least(COALESCE(sum(queued), 0), 9223372036854775807)::bigint AS queued,
                     least(COALESCE(sum(lost), 0), 9223372036854775807)::bigint AS lost
              FROM judged GROUP BY GROUPING SETS ((), (release), (sdk))) s),
    drops AS (
        SELECT *, row_number() OVER (PARTITION BY which, name ORDER BY count DESC, reason COLLATE \"C\") AS place
        FROM (SELECT grouping(release, sdk) AS which, COALESCE(release, sdk) AS name, reason,
                     least(sum(n::bigint), 9223372036854775807)::bigint AS count
              FROM judged CROSS JOIN LATERAL jsonb_each_text(dropped) AS d (reason, n)
              GROUP BY GROUPING SETS ((reason), (release, reason), (sdk, reason))) d),
    listed AS (
        SELECT which, name, CASE WHEN place <= $7 THEN reason ELSE 'other' END AS reason, sum(count)::numeric AS count
        FROM drops
        WHERE EXISTS (SELECT FROM sums
                      WHERE sums.which = drops.which AND sums.name IS NOT DISTINCT FROM drops.name AND sums.place <= $7)
        GROUP BY 1, 2, 3),
    page AS (
        SELECT install_id, sdk, release, captured, stored, queued, dropped, lost,
               (extract(epoch FROM first_seen_at) * 1000000)::bigint AS first_us,
               (extract(epoch FROM last_seen_at) * 1000000)::bigint AS last_us
        FROM judged
        WHERE $4::bigint IS NULL OR lost < $4 OR (lost = $4 AND install_id COLLATE \"C\" > $5)
        ORDER BY lost DESC, install_id COLLATE \"C\" LIMIT $6)
    SELECT (SELECT COALESCE(json_agg(s ORDER BY place), '[]') FROM sums s WHERE place <= $7) AS sums,
           (SELECT COALESCE(json_agg(json_build_object('which', which, 'name', name, 'reason', reason,
                   'count', least(count, 9223372036854775807)::bigint)), '[]') FROM listed) AS drops,
           (SELECT COALESCE(json_agg(p ORDER BY lost DESC, install_id COLLATE \"C\"), '[]') FROM page p) AS installs";

/// The newest ranges of numbers that are not stored, of the installs in `$2` that count up to `$3`: a number beside each
/// end of 1 to `captured` closes the first and the last range. No index of the events has the install, for every event would
/// pay for it when it is stored; so all of the project's rows are read once, in parallel, and only if something is lost.
pub(super) const GAPS: &str = "
    WITH wanted AS (SELECT * FROM unnest($2::text[], $3::bigint[]) AS wanted (install_id, captured)),
    numbers AS (
        SELECT install_id, seq FROM events JOIN wanted USING (install_id)
        WHERE project_id = $1 AND seq BETWEEN 1 AND captured
        UNION ALL SELECT install_id, 0 FROM wanted
        UNION ALL SELECT install_id, captured + 1 FROM wanted),
    steps AS (
        SELECT install_id, lag(seq) OVER (PARTITION BY install_id ORDER BY seq) AS before, seq FROM numbers),
    ranges AS (
        SELECT install_id, before + 1 AS first, seq - 1 AS last,
               row_number() OVER (PARTITION BY install_id ORDER BY seq DESC) AS place,
               count(*) OVER (PARTITION BY install_id) AS ranges
        FROM steps WHERE seq > before + 1)
    SELECT install_id, first, last, ranges FROM ranges WHERE place <= $4 ORDER BY install_id, first";
