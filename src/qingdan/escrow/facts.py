"""Prepaid tuition as facts: what the records of this app look like to the law.

A contract becomes a fact once both sides have signed. While it is being signed the one on trial (see ``trial``) is a fact too, with
the day of today, so that what the law would say is known before anything is written.
"""

from __future__ import annotations

from qingdan.judging.facts import TODAY, FactSource

#: Setting of the transaction: number of the contract that is on trial.
TRIAL = "qingdan.contract_on_trial"
_ON_TRIAL = f"NULLIF(current_setting('{TRIAL}', TRUE), '')::bigint"
_OWNER = "o.layer_code AS place, o.id AS organisation_id, o.name AS institution"
_SIGNED = "('signed', 'active', 'completed', 'refunded')"

_CONTRACT = f"""
FROM escrow_contract AS c
    JOIN accounts_organisation AS o ON o.id = c.institution_id
    LEFT JOIN LATERAL (
        SELECT g.mode FROM escrow_custodyagreement AS g
        WHERE g.id = c.agreement_id
            OR (c.agreement_id IS NULL AND g.institution_id = c.institution_id
                AND g.starts_on <= {TODAY} AND (g.ends_on IS NULL OR g.ends_on >= {TODAY}))
        LIMIT 1
    ) AS agreed ON TRUE
WHERE c.state IN {_SIGNED} OR c.id = {_ON_TRIAL}
"""

#: Money on the way into custody counts as there while a contract is being signed: it has no other way. Once a contract is paid, what
#: the bank says counts.
PREPAYMENT = f"""
SELECT c.id AS row_id, {_OWNER}, c.number AS contract_number, c.learner_name AS learner, c.category, c.course_name AS course,
    COALESCE(c.signed_on, {TODAY}) AS signed_on, COALESCE(c.paid_on, c.signed_on, {TODAY}) AS paid_on,
    c.course_from, c.course_until, c.teaching_from, c.teaching_until, CAST(c.lessons AS bigint) AS lessons, c.amount_fen,
    CASE WHEN agreed.mode IS NULL THEN 0
         WHEN agreed.mode = 'reserve' THEN NULL
         WHEN c.paid_on IS NULL THEN c.amount_fen
         ELSE COALESCE((SELECT sum(p.amount_fen) FROM escrow_paymentorder AS p WHERE p.contract_id = c.id AND p.state = 'paid'), 0)::bigint
    END AS custody_fen,
    agreed.mode AS supervision_mode, c.form_version <> '' AS uses_model_contract, c.is_paid_by_loan
{_CONTRACT}
"""

TRAINING_CONTRACT = f"""
SELECT c.id AS row_id, {_OWNER}, c.number AS contract_number, c.learner_name AS learner, c.category, c.course_name AS course,
    COALESCE(c.signed_on, {TODAY}) AS signed_on, c.course_from, c.course_until, CAST(c.lessons AS bigint) AS lessons, c.amount_fen,
    c.form_version <> '' AS uses_model_contract, c.unfair_terms <> '[]'::jsonb AS has_unfair_terms,
    NULLIF((SELECT string_agg(t ->> 'sentence', '；') FROM jsonb_array_elements(c.unfair_terms) AS t), '') AS unfair_terms,
    c.refund_conditions <> '' AS has_refund_conditions, c.refund_procedure <> '' AS has_refund_procedure,
    CAST(date_part('year', age(COALESCE(c.signed_on, {TODAY}), c.learner_born_on)) AS bigint) AS learner_age,
    CAST(c.youngest_age AS bigint) AS youngest_age
{_CONTRACT}
"""

#: One row a course that has a filed fee or is being sold: what is filed, what is charged, what is guided today. What was charged under
#: an earlier filing is no matter of the one that holds now.
FEE_ITEM = f"""
WITH offered AS (
    SELECT f.institution_id, f.course_number FROM escrow_feefiling AS f WHERE f.withdrawn_on IS NULL OR f.withdrawn_on > {TODAY}
    UNION
    SELECT c.institution_id, c.course_number FROM escrow_contract AS c WHERE c.state IN ('signed', 'active') OR c.id = {_ON_TRIAL}
), priced AS (
    SELECT k.course_number AS row_id, k.institution_id, COALESCE(f.category, c.category) AS category, COALESCE(f.item, c.item) AS item,
        f.grade, COALESCE(f.class_size, c.class_size) AS class_size, COALESCE(f.lesson_minutes, c.lesson_minutes) AS lesson_minutes,
        COALESCE(f.fee_unit, 'lesson') AS fee_unit, f.standard_fen, c.charged_fen, f.filed_on, f.published_on, f.id AS filing_id
    FROM offered AS k
        LEFT JOIN LATERAL (
            SELECT g.* FROM escrow_feefiling AS g
            WHERE g.institution_id = k.institution_id AND g.course_number = k.course_number
                AND (g.withdrawn_on IS NULL OR g.withdrawn_on > {TODAY})
            ORDER BY g.filed_on DESC LIMIT 1
        ) AS f ON TRUE
        LEFT JOIN LATERAL (
            SELECT max(s.course_name) AS item, max(s.category) AS category, max(s.class_size) AS class_size,
                max(s.lesson_minutes) AS lesson_minutes, max((s.amount_fen + s.lessons - 1) / s.lessons) AS charged_fen
            FROM escrow_contract AS s
            WHERE s.institution_id = k.institution_id AND s.course_number = k.course_number
                AND CASE WHEN {_ON_TRIAL} IS NOT NULL THEN s.id = {_ON_TRIAL}
                         ELSE s.state IN ('signed', 'active') AND s.signed_on >= COALESCE(
                             f.filed_on,
                             (SELECT max(w.withdrawn_on) FROM escrow_feefiling AS w
                              WHERE w.institution_id = k.institution_id AND w.course_number = k.course_number),
                             s.signed_on) END
        ) AS c ON TRUE
    WHERE f.id IS NOT NULL OR c.item IS NOT NULL
)
SELECT p.row_id, {_OWNER}, p.category, p.item, CAST(p.grade AS bigint) AS grade, p.fee_unit, {TODAY} AS on_date,
    p.standard_fen, CASE WHEN p.fee_unit = 'lesson' THEN p.charged_fen END AS charged_fen, guided.price_fen AS guided_price_fen,
    guided.price_fen IS NOT NULL AS follows_guided_price, p.filed_on, p.published_on,
    p.filing_id IS NOT NULL AS is_filed, p.published_on IS NOT NULL AS is_published
FROM priced AS p
    JOIN accounts_organisation AS o ON o.id = p.institution_id
    LEFT JOIN LATERAL (
        SELECT g.price_fen FROM escrow_guidedprice AS g JOIN places_region AS r ON r.id = g.region_id
        WHERE r.code = o.region_code AND g.category = p.category AND p.fee_unit = 'lesson'
            AND p.class_size BETWEEN g.class_size_from AND g.class_size_until
            AND p.lesson_minutes BETWEEN g.minutes_from AND g.minutes_until
            AND g.starts_on <= {TODAY} AND (g.ends_on IS NULL OR g.ends_on >= {TODAY})
        LIMIT 1
    ) AS guided ON TRUE
"""

REFUND = f"""
SELECT r.id AS row_id, {_OWNER}, c.number AS contract_number, c.learner_name AS learner, c.category, c.course_name AS course, c.paid_on,
    r.applied_on, r.due_on, r.refunded_on, c.amount_fen, CAST(c.lessons AS bigint) AS lessons,
    CASE WHEN r.state = 'refused' THEN 0 ELSE r.due_fen END AS refund_due_fen,
    CASE WHEN r.state = 'paid' THEN r.refunded_fen END AS refunded_fen
FROM escrow_refund AS r
    JOIN escrow_contract AS c ON c.id = r.contract_id
    JOIN accounts_organisation AS o ON o.id = c.institution_id
WHERE r.state <> 'withdrawn'
"""

#: The newest reconciled day of each agreement in force.
CUSTODY_ACCOUNT = f"""
SELECT DISTINCT ON (d.agreement_id) d.id AS row_id, {_OWNER}, g.bank_name AS bank, '尾号' || right(g.account_number, 4) AS account,
    g.mode AS supervision_mode, d.on_date AS as_of, d.bank_fen AS balance_fen,
    CASE WHEN g.mode <> 'reserve' THEN d.owed_fen END AS undelivered_fen,
    CASE WHEN g.mode = 'reserve' THEN g.reserve_floor_fen END AS reserve_due_fen
FROM escrow_daybalance AS d
    JOIN escrow_custodyagreement AS g ON g.id = d.agreement_id
    JOIN accounts_organisation AS o ON o.id = g.institution_id
WHERE d.bank_fen IS NOT NULL AND (g.ends_on IS NULL OR g.ends_on >= {TODAY})
ORDER BY d.agreement_id, d.on_date DESC
"""

ACCOUNT_FLOW = f"""
SELECT l.id AS row_id, {_OWNER}, '尾号' || right(g.account_number, 4) AS account, g.bank_name AS bank, l.booked_on AS on_date,
    CASE WHEN l.amount_fen > 0 THEN 'inward' ELSE 'outward' END AS direction, abs(l.amount_fen) AS amount_fen, l.is_large,
    l.warned_at IS NOT NULL AS is_warned, l.circulated_at IS NOT NULL AS is_circulated
FROM escrow_bankline AS l
    JOIN escrow_custodyagreement AS g ON g.id = l.agreement_id
    JOIN accounts_organisation AS o ON o.id = g.institution_id
WHERE l.is_large
"""

SOURCES = (
    FactSource("prepayment", PREPAYMENT),
    FactSource("training_contract", TRAINING_CONTRACT),
    FactSource("fee_item", FEE_ITEM),
    FactSource("refund", REFUND),
    FactSource("custody_account", CUSTODY_ACCOUNT),
    FactSource("account_flow", ACCOUNT_FLOW),
)
