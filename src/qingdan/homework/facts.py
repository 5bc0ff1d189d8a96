"""Homework as facts: what the records of this app look like to the law.

Whatever a teacher does not say stays empty, and the law then says so. The faults of design are the exception: with every piece
of homework its teacher declares that it has none, until a check on the spot finds one.
"""

from __future__ import annotations

from qingdan.homework.enums import Fault, HomeworkStatus
from qingdan.homework.models.completion import SMALLEST_GROUP
from qingdan.judging.facts import TODAY, FactSource

_PLACE_OF_CLASS = """
    JOIN schools_schoolclass AS c ON c.id = {0}.school_class_id
    JOIN accounts_organisation AS o ON o.id = c.school_id"""
_CLASS = """o.layer_code AS place, c.school_id AS organisation_id, c.id AS class_id,
    o.name AS school, c.name AS class_name, CAST(c.grade AS bigint) AS grade"""
#: A day of a class as one number: sums have no record of their own.
_DAY_OF_CLASS = "{0} * 100000 + ({1} - DATE '2020-01-01')"

_FAULTS = ",\n    ".join(f"COALESCE('{fault}' = ANY(found.faults), FALSE) AS is_{fault}" for fault in Fault.values)

#: What went out. Held, returned and withdrawn homework does not burden anybody.
HOMEWORK_ITEM = f"""
SELECT h.id AS row_id, {_CLASS},
    h.on_date, s.name AS subject, h.content, h.form, h.done_at, CAST(h.homework_minutes AS bigint) AS homework_minutes,
    h.marked_by, h.done_by, h.needs_parent, h.tier, h.is_optional, h.is_assigned_in_class,
    {_FAULTS}
FROM homework_homework AS h {_PLACE_OF_CLASS.format("h")}
    JOIN schools_subject AS s ON s.id = h.subject_id
    LEFT JOIN (
        SELECT k.homework_id, array_agg(fault) AS faults
        FROM homework_checkedhomework AS k
            JOIN homework_checkedclass AS b ON b.id = k.checked_class_id AND b.checked_at IS NOT NULL
            CROSS JOIN unnest(k.faults) AS fault
        WHERE k.homework_id IS NOT NULL
        GROUP BY k.homework_id
    ) AS found ON found.homework_id = h.id
WHERE h.status = '{HomeworkStatus.OUT}'
"""

#: Each week in which a grade had homework: as it was published, or, once the week is over, not published.
HOMEWORK_DISCLOSURE = f"""
SELECT w.school_id * 1000000 + w.grade * 10000 + (w.week_from - DATE '2020-01-06') / 7 AS row_id,
    o.layer_code AS place, w.school_id AS organisation_id, o.name AS school, CAST(w.grade AS bigint) AS grade,
    w.week_from, w.week_from + 4 AS week_until,
    CAST(first.published_at AT TIME ZONE 'Asia/Shanghai' AS date) AS published_on,
    first.published_at IS NOT NULL AS is_published,
    to_jsonb(w.subjects) <@ (latest.snapshot -> 'subjects') AS covers_every_subject,
    to_jsonb(w.class_names) <@ (latest.snapshot -> 'class_names') AS covers_every_class,
    latest.id IS NOT NULL AS has_total, latest.id IS NOT NULL AS has_minutes, latest.id IS NOT NULL AS has_content,
    latest.snapshot ->> 'requirements' <> '' AS has_requirements,
    latest.snapshot ->> 'intent' <> '' AS has_intent,
    latest.id IS NOT NULL AS is_open_to_public,
    -- Unpublished is not uncoordinated: the register knows whether something never got past the year group.
    COALESCE(CAST(latest.snapshot ->> 'is_coordinated' AS boolean), NOT w.has_held) AS is_coordinated
FROM (
    SELECT c.school_id, c.grade, CAST(date_trunc('week', h.on_date) AS date) AS week_from,
        array_agg(DISTINCT s.name) FILTER (WHERE h.status = '{HomeworkStatus.OUT}') AS subjects,
        array_agg(DISTINCT c.name) FILTER (WHERE h.status = '{HomeworkStatus.OUT}') AS class_names,
        bool_or(h.status = '{HomeworkStatus.HELD}') AS has_held
    FROM homework_homework AS h
        JOIN schools_schoolclass AS c ON c.id = h.school_class_id
        JOIN schools_subject AS s ON s.id = h.subject_id
    WHERE h.status IN ('{HomeworkStatus.OUT}', '{HomeworkStatus.HELD}')
    GROUP BY c.school_id, c.grade, CAST(date_trunc('week', h.on_date) AS date)
    HAVING bool_or(h.status = '{HomeworkStatus.OUT}')
) AS w
    JOIN accounts_organisation AS o ON o.id = w.school_id
    LEFT JOIN homework_disclosure AS first
        ON first.school_id = w.school_id AND first.grade = w.grade AND first.week_from = w.week_from AND first.version = 1
    LEFT JOIN LATERAL (
        SELECT d.id, d.snapshot FROM homework_disclosure AS d
        WHERE d.school_id = w.school_id AND d.grade = w.grade AND d.week_from = w.week_from
        ORDER BY d.version DESC LIMIT 1
    ) AS latest ON TRUE
WHERE first.id IS NOT NULL OR w.week_from + 7 <= {TODAY}
"""

#: Each day of a class of which the class teacher or enough families have told something.
HOMEWORK_COMPLETION = f"""
SELECT {_DAY_OF_CLASS.format("told.school_class_id", "told.on_date")} AS row_id, {_CLASS}, told.on_date,
    -- The register is complete: what is not in it was not given.
    CAST(COALESCE(given.written_minutes, 0) AS bigint) AS written_minutes,
    CAST(told.finished_percent AS bigint) AS done_at_school_percent,
    CAST(told.average_minutes AS bigint) AS average_minutes
FROM (
    SELECT school_class_id, on_date, max(finished_percent) AS finished_percent, max(average_minutes) AS average_minutes
    FROM (
        SELECT school_class_id, on_date, finished_percent, NULL AS average_minutes FROM homework_schoolfinish
        UNION ALL
        SELECT school_class_id, on_date, NULL, round(avg(homework_minutes)) FROM homework_familyreport
        WHERE answered_at IS NOT NULL
        GROUP BY school_class_id, on_date
        HAVING count(*) >= {SMALLEST_GROUP}
    ) AS each_told
    GROUP BY school_class_id, on_date
) AS told {_PLACE_OF_CLASS.format("told")}
    LEFT JOIN (
        SELECT school_class_id, on_date, sum(homework_minutes) FILTER (WHERE form = 'written') AS written_minutes
        FROM homework_homework
        WHERE status = '{HomeworkStatus.OUT}'
        GROUP BY school_class_id, on_date
    ) AS given ON given.school_class_id = told.school_class_id AND given.on_date = told.on_date
"""

HOMEWORK_CHECK = f"""
SELECT k.id AS row_id, {_CLASS}, s.name AS subject, b.checked_on AS on_date, k.is_careless, k.has_feedback
FROM homework_checkedhomework AS k
    JOIN homework_checkedclass AS b ON b.id = k.checked_class_id
    JOIN homework_homework AS h ON h.id = k.homework_id {_PLACE_OF_CLASS.format("h")}
    JOIN schools_subject AS s ON s.id = h.subject_id
WHERE b.checked_at IS NOT NULL AND (k.is_careless IS NOT NULL OR k.has_feedback IS NOT NULL)
"""

#: A family goes by the number of its answer.
SLEEP_RECORD = f"""
SELECT r.id AS row_id, {_CLASS}, CAST(r.id AS text) AS pupil_code, r.on_date,
    r.sleep <> 'done_in_time' AS has_unfinished_homework, r.sleep <> 'late' AS is_bedtime_kept
FROM homework_familyreport AS r {_PLACE_OF_CLASS.format("r")}
WHERE r.answered_at IS NOT NULL
"""

SOURCES = (
    FactSource("homework_item", HOMEWORK_ITEM, page="homework:item"),
    FactSource("homework_disclosure", HOMEWORK_DISCLOSURE),
    FactSource("homework_completion", HOMEWORK_COMPLETION),
    FactSource("homework_check", HOMEWORK_CHECK),
    FactSource("sleep_record", SLEEP_RECORD),
)
