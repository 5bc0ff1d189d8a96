"""Institutions as facts: what the records of this app look like to the law.

A register's facts are of today: what stands in it now. Whatever nobody has said stays empty. Besides the columns of their kinds,
institutions and courses tell what contracts over prepaid tuition need to know of them (see ``escrow.models.offers``).
"""

from __future__ import annotations

from qingdan.judging.facts import TODAY, FactSource

_OWNER = """
    JOIN accounts_organisation AS o ON o.id = {0}.institution_id
    JOIN institutions_institution AS i ON i.organisation_id = {0}.institution_id"""
_INSTITUTION = "o.layer_code AS place, o.id AS organisation_id, o.name AS institution"

INSTITUTION = f"""
SELECT i.organisation_id AS row_id, {_INSTITUTION}, i.credit_code, {TODAY} AS as_of, i.category, i.field, i.audience, i.runs_online,
    i.department, held.number AS permit_number, held.number IS NOT NULL AS has_permit, TRUE AS has_licence,
    i.registration <> 'company' AS is_non_profit, i.is_dually_managed, i.approval_basis,
    EXISTS (
        SELECT 1 FROM institutions_application AS a
        WHERE a.applicant_id = i.organisation_id AND a.kind = 'filing_to_approval' AND a.state = 'refused'
    ) AS was_refused_approval,
    i.has_icp,
    (SELECT count(*) FROM institutions_premises AS p
     WHERE p.institution_id = i.organisation_id AND p.opened_on <= {TODAY} AND (p.closed_on IS NULL OR p.closed_on >= {TODAY})
    ) AS site_count,
    (SELECT count(DISTINCT t.premises_id) FROM institutions_permit AS t
     WHERE t.institution_id = i.organisation_id AND t.starts_on <= {TODAY} AND t.ends_on >= {TODAY}
        AND (t.revoked_on IS NULL OR t.revoked_on > {TODAY})
    ) AS approved_site_count,
    i.is_real_name_registered, i.has_real_name_learners,
    COALESCE(first_held.starts_on, i.registered_on) AS permitted_on, TRUE AS has_inspection_system,
    (SELECT max(n.inspected_on) FROM institutions_inspection AS n
     WHERE n.institution_id = i.organisation_id AND n.state = 'passed') AS last_inspected_on,
    (SELECT count(*) FROM institutions_staff AS f WHERE f.institution_id = i.organisation_id
        AND f.employed_from <= {TODAY} AND (f.employed_until IS NULL OR f.employed_until >= {TODAY})) AS staff_count,
    (SELECT count(*) FROM institutions_staff AS f WHERE f.institution_id = i.organisation_id
        AND f.employed_until BETWEEN {TODAY} - 90 AND {TODAY} - 1) AS staff_left_in_90_days
FROM institutions_institution AS i
    JOIN accounts_organisation AS o ON o.id = i.organisation_id
    LEFT JOIN LATERAL (
        SELECT t.number FROM institutions_permit AS t
        WHERE t.institution_id = i.organisation_id AND t.starts_on <= {TODAY} AND t.ends_on >= {TODAY}
            AND (t.revoked_on IS NULL OR t.revoked_on > {TODAY})
        ORDER BY t.starts_on LIMIT 1
    ) AS held ON TRUE
    LEFT JOIN LATERAL (
        SELECT t.starts_on FROM institutions_permit AS t WHERE t.institution_id = i.organisation_id ORDER BY t.starts_on LIMIT 1
    ) AS first_held ON TRUE
WHERE i.state <> 'closed'
"""

#: Decided applications, and, while one is being handed in or decided, that one (see ``actions.applications``). Closing down is none
#: of them: no premises have to be fit for it.
INSTITUTION_APPLICATION = """
SELECT a.id AS row_id, o.layer_code AS place, o.id AS organisation_id, o.name AS institution,
    CASE a.kind WHEN 'filing_to_approval' THEN 'reregistration' WHEN 'premises' THEN 'change' ELSE a.kind END
        AS application_kind,
    a.category, a.audience, a.applied_on, a.decided_on, a.state = 'approved' AS is_approved,
    a.has_fit_premises, a.has_fit_staff, a.has_fit_teaching
FROM institutions_application AS a JOIN accounts_organisation AS o ON o.id = a.applicant_id
WHERE a.state IN ('approved', 'refused') AND a.kind <> 'closure'
"""

INSTITUTION_CAPITAL = f"""
SELECT c.id AS row_id, {_INSTITUTION}, i.category, c.happened_on, c.deal, c.investor,
    CAST(c.share_percent AS bigint) AS share_percent, c.amount_fen, c.is_financing, c.used_for_training_fen
FROM institutions_capitalchange AS c {_OWNER.format("c")}
"""

#: ``is_serving_school_teacher``: the same keyed digest stands in the schools' staff. Neither side sees the other's list.
INSTITUTION_STAFF = f"""
SELECT s.id AS row_id, {_INSTITUTION}, s.name AS person, {TODAY} AS as_of, s.role, NULLIF(s.category, '') AS category,
    NULLIF(s.subject, '') AS subject, s.certificate_number <> '' AS has_teacher_certificate, s.is_certificate_fitting,
    EXISTS (SELECT 1 FROM schools_staffidentity AS k WHERE k.identity_digest = s.identity_digest) AS is_serving_school_teacher,
    s.is_qualification_checked, s.is_filed, s.is_published, s.is_shown_on_site, s.is_published AS is_shown_online,
    TRUE AS is_real_name_registered, s.nationality <> '中国' AS is_foreign, s.is_abroad, s.meets_foreign_rules
FROM institutions_staff AS s {_OWNER.format("s")}
WHERE s.employed_from <= {TODAY} AND (s.employed_until IS NULL OR s.employed_until >= {TODAY})
"""

#: A course that was handed in waits for its reviewer: whether it is filed is nobody's fault until it is taught. What only a review
#: can find is unknown before it.
TRAINING_COURSE = f"""
SELECT c.id AS row_id, {_INSTITUTION}, c.name AS course, c.starts_on, c.category,
    COALESCE(t.category, i.category) AS permit_category, c.mode, CAST(c.first_grade AS bigint) AS grade, c.audience,
    CASE WHEN c.state = 'filed' THEN TRUE WHEN c.starts_on <= {TODAY} THEN FALSE END AS is_filed,
    EXISTS (SELECT 1 FROM institutions_coursefile AS f WHERE f.course_id = c.id) AS is_material_filed,
    CASE WHEN t.id IS NULL THEN FALSE ELSE t.field = c.field AND t.starts_on <= c.starts_on AND t.ends_on >= c.starts_on END
        AS is_within_permit,
    c.is_beyond_standard, c.is_ahead_of_progress, c.is_overseas_curriculum, c.is_exam_oriented, c.offers_photo_search,
    CASE WHEN c.state = 'filed' THEN c.is_vulgar_or_unlawful END AS is_vulgar_or_unlawful,
    CASE WHEN c.state = 'filed' THEN c.uses_pirated_material END AS uses_pirated_material,
    c.ends_on, c.lesson_count, c.lesson_minutes, c.class_size, c.youngest_age, c.lesson_price_fen
FROM institutions_course AS c {_OWNER.format("c")}
    LEFT JOIN institutions_permit AS t ON t.id = c.permit_id
WHERE c.state IN ('submitted', 'filed')
"""

TRAINING_SESSION = f"""
SELECT n.id AS row_id, {_INSTITUTION}, n.course_id, i.credit_code, c.category, c.mode, c.name AS course,
    CAST(c.first_grade AS bigint) AS grade, c.audience, p.name AS premises, n.on_date,
    CAST(n.starts_at AS bigint) AS starts_at, CAST(n.ends_at AS bigint) AS ends_at,
    CAST(c.lesson_minutes AS bigint) AS lesson_minutes, CAST(c.gap_minutes AS bigint) AS gap_minutes,
    CAST(c.youngest_age AS bigint) AS youngest_age, c.is_collective_preschool
FROM institutions_session AS n {_OWNER.format("n")}
    JOIN institutions_course AS c ON c.id = n.course_id
    LEFT JOIN institutions_room AS r ON r.id = n.room_id
    LEFT JOIN institutions_premises AS p ON p.id = r.premises_id
WHERE n.state = 'planned'
"""

TRAINING_ADVERTISEMENT = f"""
SELECT a.id AS row_id, {_INSTITUTION}, a.category, a.found_on, a.medium, a.location, a.text AS content, a.is_false,
    a.exaggerates_effect, a.misleads_consumers, a.misleads_views, a.causes_anxiety
FROM institutions_advertisement AS a {_OWNER.format("a")}
WHERE a.withdrawn_at IS NULL
"""

TRAINING_ACTIVITY = f"""
SELECT a.id AS row_id, {_INSTITUTION}, a.name AS activity_name, a.held_on, a.kind AS activity, a.category, a.role, a.audience,
    a.is_approved, a.is_for_ranking, a.is_across_districts, a.is_across_institutions, a.is_large_scale, a.publishes_results,
    a.advertises_certificates, a.advertises_scores, a.advertises_admissions
FROM institutions_activity AS a {_OWNER.format("a")}
WHERE a.withdrawn_at IS NULL
"""

SOURCES = (
    FactSource("institution", INSTITUTION, page="institutions:institution"),
    FactSource("institution_application", INSTITUTION_APPLICATION, page="institutions:application"),
    FactSource("institution_capital", INSTITUTION_CAPITAL),
    FactSource("institution_staff", INSTITUTION_STAFF, page="institutions:staff_member"),
    FactSource("training_course", TRAINING_COURSE, page="institutions:course"),
    FactSource("training_session", TRAINING_SESSION, page="institutions:session"),
    FactSource("training_advertisement", TRAINING_ADVERTISEMENT, page="institutions:advertisement"),
    FactSource("training_activity", TRAINING_ACTIVITY, page="institutions:activity"),
)
