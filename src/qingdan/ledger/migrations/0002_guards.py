"""What the database itself guarantees of every book, and the function that posts in one call.

A posting is written in two steps within one transaction: first its entries are laid down under the number (id) that it is going to
have, then the posting itself is inserted, which seals them. Entries that nobody seals fail at the commit, by the deferred reference
to their posting; entries for a sealed posting are refused. So what the seal has checked (balanced in every unit, the negation of
what it reverses) and hashed can never change afterwards, and no later check is needed. Decision 0015 tells the alternatives.

Everything is written under the lock of the book's row: that gives numbers without a gap, one chain of digests, balances that cannot be
overdrawn by two at once, and no deadlock within a book.
"""

from django.db import migrations

# An entry's account and posting are of the entry's own book. A posting may come after its entries, until the commit.
REFERENCES = """
ALTER TABLE ledger_account ADD CONSTRAINT ledger_account_by_book UNIQUE (book_id, id);
ALTER TABLE ledger_posting ADD CONSTRAINT ledger_posting_by_book UNIQUE (book_id, id);
ALTER TABLE ledger_entry
    ADD CONSTRAINT ledger_entry_account_is_of_its_book FOREIGN KEY (book_id, account_id) REFERENCES ledger_account (book_id, id),
    ADD CONSTRAINT ledger_entry_posting_is_of_its_book FOREIGN KEY (book_id, posting_id) REFERENCES ledger_posting (book_id, id)
        DEFERRABLE INITIALLY DEFERRED;
"""
NO_REFERENCES = """
ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_account_is_of_its_book, DROP CONSTRAINT ledger_entry_posting_is_of_its_book;
ALTER TABLE ledger_posting DROP CONSTRAINT ledger_posting_by_book;
ALTER TABLE ledger_account DROP CONSTRAINT ledger_account_by_book;
"""

# Entries are laid down: under the lock of their book, not for a sealed posting, and the balances follow.
LAYING = """
CREATE FUNCTION ledger_lay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM ledger_book WHERE id IN (SELECT book_id FROM laid) ORDER BY id FOR NO KEY UPDATE;
    IF EXISTS (SELECT FROM ledger_posting WHERE id IN (SELECT posting_id FROM laid)) THEN
        RAISE EXCEPTION USING ERRCODE = 'restrict_violation', TABLE = 'ledger_entry', CONSTRAINT = 'ledger_entry_is_laid_before_its_seal',
            MESSAGE = '凭证已经封存，不能再加分录；要改就冲销后重记';
    END IF;
    UPDATE ledger_account AS account SET balance = account.balance + moved.amount
        FROM (SELECT account_id, sum(amount)::bigint AS amount FROM laid GROUP BY account_id) AS moved
        WHERE account.id = moved.account_id;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_lay AFTER INSERT ON ledger_entry REFERENCING NEW TABLE AS laid
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_lay();
"""
NO_LAYING = "DROP TRIGGER ledger_lay ON ledger_entry; DROP FUNCTION ledger_lay();"

# A posting seals its entries: next number, balanced in every unit, an exact reversal if it is one, hashed onto the chain. Whatever the
# statement gave for number, time and digests does not count. A posting of the same statement is seen here already, so that many may come at
# once; the end of the chain moves once a statement, and only when the rows are really there.
SEALING = """
CREATE FUNCTION ledger_seal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    book_code text;
    last ledger_posting;
    laid record;
    undone ledger_posting;
BEGIN
    SELECT code INTO book_code FROM ledger_book WHERE id = NEW.book_id FOR NO KEY UPDATE;
    SELECT count(*) AS entries, coalesce(sum(entry.amount) FILTER (WHERE account.unit = 'fen'), 0) AS fen,
            coalesce(sum(entry.amount) FILTER (WHERE account.unit = 'lesson'), 0) AS lessons,
            coalesce(sum(entry.amount) FILTER (WHERE account.unit = 'minute'), 0) AS minutes,
            count(*) FILTER (WHERE account.unit NOT IN ('fen', 'lesson', 'minute')) AS strangers,
            coalesce(jsonb_agg(jsonb_build_array(account.code, account.unit, entry.amount) ORDER BY account.code COLLATE "C"), '[]') AS lines
        INTO laid
        FROM ledger_entry AS entry JOIN ledger_account AS account ON account.id = entry.account_id
        WHERE entry.posting_id = NEW.id AND entry.book_id = NEW.book_id;
    IF laid.entries < 2 OR (laid.fen, laid.lessons, laid.minutes, laid.strangers) <> (0, 0, 0, 0) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', TABLE = 'ledger_posting', CONSTRAINT = 'ledger_posting_is_balanced',
            MESSAGE = '借贷不平：凭证至少要有两条分录，每种单位的分录合计要为零';
    END IF;
    IF NEW.reverses_id IS NOT NULL THEN
        SELECT * INTO undone FROM ledger_posting WHERE id = NEW.reverses_id;
        IF undone.book_id IS DISTINCT FROM NEW.book_id OR undone.reverses_id IS NOT NULL OR undone.effective_on > NEW.effective_on
            OR EXISTS (
                SELECT FROM (SELECT account_id, amount FROM ledger_entry WHERE posting_id = NEW.id) AS mine
                FULL JOIN (SELECT account_id, amount FROM ledger_entry WHERE posting_id = NEW.reverses_id) AS theirs USING (account_id)
                WHERE mine.amount IS DISTINCT FROM -theirs.amount)
        THEN
            RAISE EXCEPTION USING ERRCODE = 'check_violation', TABLE = 'ledger_posting', CONSTRAINT = 'ledger_reversal_is_the_negation',
                MESSAGE = '冲销要与同一账簿里被冲销的凭证科目相同、数额相反，日期不早于它，且不能冲销一笔冲销';
        END IF;
    END IF;
    SELECT * INTO last FROM ledger_posting WHERE book_id = NEW.book_id ORDER BY number DESC LIMIT 1;
    NEW.number := coalesce(last.number, 0) + 1;
    NEW.previous_digest := coalesce(last.digest, repeat('0', 64));
    NEW.recorded_at := greatest(clock_timestamp(), last.recorded_at);
    NEW.digest := encode(sha256(convert_to(jsonb_build_array(
        'qingdan-ledger-1', book_code, NEW.number, NEW.kind, to_char(NEW.effective_on, 'YYYY-MM-DD'),
        (extract(epoch FROM NEW.recorded_at) * 1000000)::bigint, NEW.key, NEW.memo, NEW.recorded_by_id, undone.number,
        NEW.previous_digest, laid.lines)::text, 'UTF8')), 'hex');
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_seal BEFORE INSERT ON ledger_posting FOR EACH ROW EXECUTE FUNCTION ledger_seal();

CREATE FUNCTION ledger_append() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE ledger_book AS book SET last_number = last.number, last_digest = last.digest, last_recorded_at = last.recorded_at
        FROM (SELECT DISTINCT ON (book_id) * FROM sealed ORDER BY book_id, number DESC) AS last WHERE book.id = last.book_id;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_append AFTER INSERT ON ledger_posting REFERENCING NEW TABLE AS sealed
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_append();
"""
NO_SEALING = """
DROP TRIGGER ledger_append ON ledger_posting; DROP FUNCTION ledger_append();
DROP TRIGGER ledger_seal ON ledger_posting; DROP FUNCTION ledger_seal();
"""

# Postings and entries stand for ever.
FINALITY = """
CREATE FUNCTION ledger_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_TABLE_NAME || '_is_final',
        MESSAGE = '账簿只能增加，不能修改或删除；记错了请冲销后重记';
END $$;
CREATE TRIGGER ledger_is_final BEFORE UPDATE OR DELETE ON ledger_posting FOR EACH ROW EXECUTE FUNCTION ledger_is_final();
CREATE TRIGGER ledger_is_final BEFORE UPDATE OR DELETE ON ledger_entry FOR EACH ROW EXECUTE FUNCTION ledger_is_final();

CREATE FUNCTION ledger_is_not_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    is_filled boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', TG_TABLE_NAME) INTO is_filled;
    IF is_filled THEN
        RAISE EXCEPTION USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_TABLE_NAME || '_is_final',
            MESSAGE = '账簿只能增加，不能清空';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_is_not_emptied BEFORE TRUNCATE ON ledger_posting FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_not_emptied();
CREATE TRIGGER ledger_is_not_emptied BEFORE TRUNCATE ON ledger_entry FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_not_emptied();
"""
NO_FINALITY = """
DROP TRIGGER ledger_is_not_emptied ON ledger_entry; DROP TRIGGER ledger_is_not_emptied ON ledger_posting;
DROP TRIGGER ledger_is_final ON ledger_entry; DROP TRIGGER ledger_is_final ON ledger_posting;
DROP FUNCTION ledger_is_not_emptied(); DROP FUNCTION ledger_is_final();
"""

# What balances and chains rest on is not written by hand: a statement of somebody's own runs at trigger depth 0, ours above. What the
# digests say of book and account does not change, nor whether an account may be negative.
KEEPING = """
CREATE FUNCTION ledger_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_ARGV[0], MESSAGE = TG_ARGV[1];
END $$;
CREATE TRIGGER ledger_starts_empty BEFORE INSERT ON ledger_account FOR EACH ROW WHEN (NEW.balance <> 0)
    EXECUTE FUNCTION ledger_is_kept('ledger_balance_follows_entries', '新科目的余额从零开始，只能由分录改变');
CREATE TRIGGER ledger_balance_is_kept BEFORE UPDATE ON ledger_account FOR EACH ROW
    WHEN (OLD.balance <> NEW.balance AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION ledger_is_kept('ledger_balance_follows_entries', '科目余额只能由分录改变，不能直接写');
CREATE TRIGGER ledger_account_is_kept BEFORE UPDATE ON ledger_account FOR EACH ROW
    WHEN ((OLD.id, OLD.book_id, OLD.code, OLD.unit, OLD.may_be_negative)
        IS DISTINCT FROM (NEW.id, NEW.book_id, NEW.code, NEW.unit, NEW.may_be_negative))
    EXECUTE FUNCTION ledger_is_kept('ledger_account_stays_what_it_is', '科目的账簿、代码、单位和可否为负不能改；请另开科目');
CREATE TRIGGER ledger_starts_empty BEFORE INSERT ON ledger_book FOR EACH ROW
    WHEN (NEW.last_number <> 0 OR NEW.last_digest <> repeat('0', 64) OR NEW.last_recorded_at IS NOT NULL)
    EXECUTE FUNCTION ledger_is_kept('ledger_book_stays_what_it_is', '新账簿从零笔开始');
CREATE TRIGGER ledger_book_is_kept BEFORE UPDATE ON ledger_book FOR EACH ROW
    WHEN ((OLD.id, OLD.code) IS DISTINCT FROM (NEW.id, NEW.code)
        OR (pg_trigger_depth() = 0 AND (OLD.last_number, OLD.last_digest, OLD.last_recorded_at)
            IS DISTINCT FROM (NEW.last_number, NEW.last_digest, NEW.last_recorded_at)))
    EXECUTE FUNCTION ledger_is_kept('ledger_book_stays_what_it_is', '账簿的代码和末笔不能直接写');
"""
NO_KEEPING = """
DROP TRIGGER ledger_book_is_kept ON ledger_book; DROP TRIGGER ledger_starts_empty ON ledger_book;
DROP TRIGGER ledger_account_is_kept ON ledger_account; DROP TRIGGER ledger_balance_is_kept ON ledger_account;
DROP TRIGGER ledger_starts_empty ON ledger_account; DROP FUNCTION ledger_is_kept();
"""

# Postings in one call, all or none, in the order given; _of says to which of them (from 1) each account and amount belongs. A refusal
# is an answer, not an error, so that the caller's transaction can go on. One row for each posting asked for:
#   posted            the new posting
#   stands            the posting with this key and this content, which is there already
# and nothing is posted when the last row says why not:
#   key_reused        the posting with this key and another content
#   already_reversed  the posting that has reversed it before
#   overdrawn         the first account with too little in it, its balance before that posting, and what was to be taken
# Whatever else is wrong is a caller's mistake, and the guards above raise it.
#
# Every statement, those of the triggers too, touches a handful of rows, which an index finds. A plan is made once for a connection and
# kept: one made while a table was small must not read all of it when it is large, and planning anew would cost more than the work.
POSTING = """
CREATE FUNCTION ledger_post(
    _book bigint, _kinds text[], _effective_ons date[], _keys text[], _memos text[], _recorded_bys bigint[], _reverses bigint[],
    _of bigint[], _accounts bigint[], _amounts bigint[]
) RETURNS TABLE (outcome text, posting ledger_posting, account_id bigint, balance bigint, asked bigint) LANGUAGE plpgsql
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    ids bigint[];
    standing bigint[] := ARRAY[]::bigint[];
BEGIN
    PERFORM FROM ledger_book WHERE id = _book FOR NO KEY UPDATE;

    FOR at IN 1 .. cardinality(_keys) LOOP
        SELECT * INTO posting FROM ledger_posting AS known WHERE known.book_id = _book AND known.key = _keys[at];
        IF FOUND THEN
            outcome := CASE
                WHEN (posting.kind, posting.effective_on, posting.memo) = (_kinds[at], _effective_ons[at], _memos[at])
                    AND posting.reverses_id IS NOT DISTINCT FROM _reverses[at]
                    AND NOT EXISTS (
                        SELECT FROM (SELECT entry.account_id, entry.amount FROM ledger_entry AS entry
                                     WHERE entry.posting_id = posting.id) AS mine
                        FULL JOIN (SELECT line.account_id, line.amount FROM unnest(_of, _accounts, _amounts) AS line (of, account_id, amount)
                                   WHERE line.of = at) AS theirs USING (account_id)
                        WHERE mine.amount IS DISTINCT FROM theirs.amount)
                THEN 'stands' ELSE 'key_reused' END;
            RETURN NEXT;
            standing := standing || at;
        ELSIF _reverses[at] IS NOT NULL THEN
            SELECT * INTO posting FROM ledger_posting AS undoing WHERE undoing.reverses_id = _reverses[at];
            IF FOUND THEN
                outcome := 'already_reversed';
                RETURN NEXT;
            END IF;
        END IF;
        IF outcome IN ('key_reused', 'already_reversed') THEN
            RETURN;
        END IF;
    END LOOP;

    SELECT line.account_id, line.balance - line.amount, -line.amount INTO account_id, balance, asked
        FROM (SELECT move.at, account.id AS account_id, move.amount,
                  account.balance + sum(move.amount) OVER (PARTITION BY account.id ORDER BY move.at) AS balance
              FROM unnest(_of, _accounts, _amounts) AS move (at, account_id, amount)
              JOIN ledger_account AS account ON account.id = move.account_id
              WHERE NOT account.may_be_negative AND move.at <> ALL (standing)) AS line
        WHERE line.balance < 0 AND line.amount < 0 ORDER BY line.at, line.account_id LIMIT 1;
    IF FOUND THEN
        outcome := 'overdrawn';
        posting := NULL;
        RETURN NEXT;
        RETURN;
    END IF;

    ids := ARRAY(SELECT nextval('ledger_posting_id_seq') FROM generate_subscripts(_keys, 1));
    INSERT INTO ledger_entry (book_id, posting_id, account_id, amount)
        SELECT _book, ids[line.at], line.account_id, line.amount FROM unnest(_of, _accounts, _amounts) AS line (at, account_id, amount)
        WHERE line.at <> ALL (standing);
    RETURN QUERY INSERT INTO ledger_posting (id, book_id, kind, effective_on, key, memo, recorded_by_id, reverses_id)
        SELECT ids[draft.at], _book, _kinds[draft.at], _effective_ons[draft.at], draft.key, _memos[draft.at], _recorded_bys[draft.at],
            _reverses[draft.at]
        FROM unnest(_keys) WITH ORDINALITY AS draft (key, at) WHERE draft.at <> ALL (standing) ORDER BY draft.at
        RETURNING 'posted', ledger_posting, NULL::bigint, NULL::bigint, NULL::bigint;
END $$;
"""
NO_POSTING = """
DROP FUNCTION ledger_post(bigint, text[], date[], text[], text[], bigint[], bigint[], bigint[], bigint[], bigint[]);
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]

    operations = [
        migrations.RunSQL(REFERENCES, NO_REFERENCES),
        migrations.RunSQL(LAYING, NO_LAYING),
        migrations.RunSQL(SEALING, NO_SEALING),
        migrations.RunSQL(FINALITY, NO_FINALITY),
        migrations.RunSQL(KEEPING, NO_KEEPING),
        migrations.RunSQL(POSTING, NO_POSTING),
    ]
