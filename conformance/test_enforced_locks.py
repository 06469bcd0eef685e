"""
What an EPOS owes its locks if it enforces them; one that doesn't keeps these rules by having nothing to break.
"""

from __future__ import annotations

from epos_conformance import Exchange, Finding, Inconclusive, Partner, Violation, answers, check, money
from epos_conformance.enforcing import enforced, enforcement, excused
from epos_conformance.following import Row
from epos_conformance.locking import (
    Lock,
    ask,
    carried_out,
    expect_two,
    extend,
    granted_when_free,
    hold,
    id_of,
    lock,
    lockable,
    new_id,
    pay,
    read_with,
    release,
    require_offered,
    require_released,
    rival,
    shown_in,
    usual,
)
from epos_conformance.paying import Payment
from epos_conformance.racing import rounds


# A second lock


@check("CreateOrderLock.enforces-locks")
def test_enforces_locks(partner: Partner) -> None:
    """A second lock with another lockId is refused while the first is live."""
    found = enforcement(partner)
    if not found.enforced:
        raise Violation(
            Finding("a second lock with another lockId", "a refusal", f"it is granted ({found.second.seen})")
        )


@check("CreateOrderLock.refuses-a-second-lock-with-conflict")
def test_refuses_a_second_lock_with_conflict(partner: Partner) -> None:
    """A second lock is refused with errorType Conflict, whatever was done under the first."""
    answers.violate([
        Finding(what, "Conflict", each.seen)
        for what, each in second_locks(partner)
        if each.error is None or each.error.type != "Conflict"
    ])


@check("CreateOrderLock.refuses-a-second-lock-with-http-conflict")
def test_refuses_a_second_lock_with_http_conflict(partner: Partner) -> None:
    """A second lock is refused with status 409, whatever was done under the first."""
    answers.violate([
        Finding(what, "status 409", each.seen) for what, each in second_locks(partner) if each.status != 409
    ])


def second_locks(partner: Partner) -> list[tuple[str, Exchange]]:
    """Second locks that are refused, with what was done under the first before."""
    facts = enforced(partner, early=True)
    if facts is None:
        return []
    if facts.early:
        return [("a second lock while the first is to last for a day", facts.second)]
    held = hold(partner)
    found = [("a second lock", ask(partner, held.order, new_id()))]
    if partner.offers("RecordOrderPaymentById") and pay(partner, held.order, held.id).exchange.succeeded:
        found.append(("a second lock after a payment under the first", ask(partner, held.order, new_id())))
    if partner.offers("ExtendOrderLock") and extend(partner, held).succeeded:
        found.append(("a second lock after the first was extended", ask(partner, held.order, new_id())))
    return [(what, each) for what, each in found if not each.succeeded]


@check("CreateOrderLock.outlasts-a-payment")
def test_outlasts_a_payment(partner: Partner) -> None:
    """A lock goes on when its holder has paid a part."""
    if not enforced(partner):
        return

    def freed_by_paying() -> list[Finding]:
        held = hold(partner, 3)
        carried_out(pay(partner, held.order, held.id), "under the live lock")
        if not rival(partner, held.order).succeeded:
            return []
        return [Finding("a second lock, after the holder of the first has paid a part", "a refusal", "it is granted")]

    if freed_by_paying() and (findings := freed_by_paying()):
        raise Violation(*findings)


@check("CreateOrderLock.a-refused-lock-holds-nothing")
def test_a_refused_lock_holds_nothing(partner: Partner) -> None:
    """A lock that is refused for its expiry does not lock the order."""
    if not enforced(partner):
        return
    order, findings, refused = lockable(partner), [], 0
    hint: str | None = None
    for what, body in (
        ("no expiry", {}),
        ("a word", {"expiry": "soon"}),
        ("a month 13", {"expiry": "2042-13-01T12:00:00Z"}),
    ):
        params = {"orderId": id_of(order), "lockId": new_id(), **body}
        if (exchange := partner.call("CreateOrderLock", params)).succeeded:
            require_released(partner, Lock(order, params["lockId"], exchange))
            continue
        refused += 1
        next = granted_when_free(partner, order, (id := new_id()))
        release(partner, order, id if next.succeeded else params["lockId"])
        if not next.succeeded:
            next.require_answer()
            findings.append(Finding(f"a lock after one with {what} was refused", "a success", next.seen))
            # Refused for another reason, it tells nothing of the lock before it.
            held = next.error is not None and next.error.type == "Conflict"
            hint = "the lock is kept before its expiry has been read" if held else None
            break
    answers.violate(findings, hint=hint)
    if not refused:
        raise Inconclusive("needs a lock that is refused, but every expiry is accepted")


# Two at the same instant


@check("CreateOrderLock.grants-one-of-two-at-once")
def test_grants_one_of_two_at_once(partner: Partner) -> None:
    """Of two locks that are asked for at the same instant, at most one is granted."""
    if not enforced(partner):
        return
    order = lockable(partner)
    for turn in rounds(partner):
        ids = [new_id(), new_id()]
        params = {"orderId": id_of(order), "expiry": usual(partner)}
        asked = partner.at_once(*(("CreateOrderLock", {**params, "lockId": id}) for id in ids))
        granted = [id for id, each in zip(ids, asked, strict=True) if each.succeeded]
        if len(granted) == len(ids):
            raise Violation(
                Finding(
                    f"two locks on order {id_of(order)} at the same instant, in round {turn}",
                    "at most one of them granted",
                    f"both: {' and '.join(granted)}",
                    hint="another request comes between the look at the order and its locking",
                )
            )
        crashed = [each for each in asked if each.crashed and each.answer]
        # One that crashes without a race is another rule's business.
        if crashed and not rival(partner, order).crashed:
            where = f"the other of two locks on order {id_of(order)} at the same instant, in round {turn}"
            raise Violation(Finding(where, "a refusal, as of a second lock", crashed[0].seen))
        give_back(partner, order, ids, asked)


def give_back(partner: Partner, order: Row, ids: list[str], asked: list[Exchange]) -> None:
    """Release what was granted, or may have been."""
    for id, each in zip(ids, asked, strict=True):
        if each.succeeded or each.answer is None:
            release(partner, order, id)


@check("ExtendOrderLock.survives-a-delete-at-once")
def test_survives_a_delete_at_once(partner: Partner) -> None:
    """A lock that is extended and deleted at the same instant crashes nothing, and the order can be locked again."""
    order = lockable(partner)
    hung_up = 0
    for turn in rounds(partner):
        held = lock(partner, order)
        ids = {"orderId": held.order_id, "lockId": held.id}
        both = ("ExtendOrderLock", {**ids, "expiry": usual(partner, 1.25)}), ("DeleteOrderLock", ids)
        crashed = [each for each in partner.at_once(*both) if each.crashed]
        hung_up += any(each.answer is None for each in crashed)
        # A server may hang up between two rounds, for once.
        if hung_up > 1 or any(each.answer for each in crashed):
            where = f"{crashed[0].capability} while the other of the two comes in, in round {turn}"
            raise Violation(Finding(where, "a success or a refusal", crashed[0].seen), hint=calm_crash(partner, held))
        once_more = release(partner, order, held.id)
        if once_more.crashed and once_more.answer:
            where = f"DeleteOrderLock once more, after the lock was deleted in round {turn}"
            raise Violation(Finding(where, "a success or a refusal", once_more.seen), hint=calm_crash(partner, held))
        free = granted_when_free(partner, order, (id := new_id()))
        if not free.succeeded:
            where = f"a new lock, after one was extended and deleted at the same instant in round {turn}"
            raise Violation(Finding(where, "a success, as the old one was deleted once more", free.seen))
        release(partner, order, id)


def calm_crash(partner: Partner, held: Lock) -> str | None:
    """Says where a lock that is gone crashes the partner without a race, too."""
    release(partner, held.order, held.id)
    for each in (extend(partner, held), release(partner, held.order, held.id)):
        if each.crashed:
            return f"{each.capability} crashes on a lock that is gone, race or not"
    return None


# Other orders


@check("DeleteOrderLock.leaves-other-orders-locked")
def test_leaves_other_orders_locked(partner: Partner) -> None:
    """Deleting the lock of one order frees no other order."""
    if not enforced(partner):
        return
    expect_two(partner)
    first = hold(partner)
    second = lock(partner, partner.order())
    if rival(partner, second.order).succeeded:
        raise Inconclusive(
            f"needs two orders that are locked at a time, but another lock is granted on {second.order_id}"
        )
    require_released(partner, first)
    if rival(partner, second.order).succeeded:
        where = f"a second lock on order {second.order_id}, after the lock of order {first.order_id} was deleted"
        raise Violation(Finding(where, "a refusal, as before", "it is granted"))


@check("DeleteOrderLock.keeps-the-lock-of-another")
def test_keeps_the_lock_of_another(partner: Partner) -> None:
    """A lock is not deleted by another lockId."""
    if not enforced(partner):
        return
    held = hold(partner)
    answer = release(partner, held.order, new_id())
    if rival(partner, held.order).succeeded:
        where = "a second lock, after DeleteOrderLock with a lockId that nobody has"
        raise Violation(Finding(where, "a refusal", f"it is granted; the deletion was answered {answer.seen}"))


# Paying under the lock of another

HINT = "the lockId of a payment is not compared with that of the live lock on its order"


def hold_again(partner: Partner) -> tuple[Lock, str | None]:
    """A lock on an order that was locked before, and the lockId of then; None where that can't be deleted."""
    held = hold(partner, 6)
    if not partner.offers("DeleteOrderLock") or not release(partner, held.order, held.id).succeeded:
        return held, None
    granted = granted_when_free(partner, held.order, (id := new_id()))
    again = Lock(held.order, id, granted) if granted.succeeded else lock(partner, held.order)
    return again, held.id


def foreign_payments(partner: Partner, held: Lock, old: str | None) -> list[tuple[str, Payment]]:
    """Payments on the order of *held* under other lockIds, with whose these are."""
    found = [("a lockId that nobody has", pay(partner, held.order, new_id()))]
    if old is not None:
        found.append(("the lockId of a lock that was deleted before", pay(partner, held.order, old)))
    try:
        other = lock(partner, partner.order())
    except Inconclusive:
        return found
    return [*found, (f"the lockId of the lock on order {other.order_id}", pay(partner, held.order, other.id))]


@check("RecordOrderPaymentById.refuses-the-lock-of-another")
def test_refuses_the_lock_of_another(partner: Partner) -> None:
    """A payment under another lockId than the live one is refused."""
    require_offered(partner, "CreateOrderLock")
    if not (found := enforced(partner)):
        return
    expect_two(partner)
    held, old = hold_again(partner)
    findings: list[Finding] = []
    for what, payment in foreign_payments(partner, held, old):
        findings += answers.require_refusal(payment.exchange, f"a payment on a locked order, under {what}")
    if findings and not excused(partner, found):
        raise Violation(*findings, hint=HINT)
    carried_out(pay(partner, held.order, held.id), "under the live lock")


@check("RecordOrderPaymentById.records-nothing-under-another-lock")
def test_records_nothing_under_another_lock(partner: Partner) -> None:
    """Of a payment under another lockId than the live one, nothing is to be seen later."""
    require_offered(partner, "CreateOrderLock")
    if not (found := enforced(partner)):
        return
    expect_two(partner)
    held, old = hold_again(partner)
    before = money.value(held.order.get("paidAmount"))
    foreign = foreign_payments(partner, held, old)
    own = pay(partner, held.order, held.id)
    # When the holder's is there, so would be whatever was recorded before it.
    seen = [("the answer to the holder's payment", own.exchange.result), ("GetOrderById", read_with(partner, own))]

    findings: list[Finding] = []
    for where, order in seen:
        if findings:
            break  # once is enough
        for what, payment in foreign:
            if shown_in(order, payment):
                at = f"{where}, after a payment under {what}, $.payments"
                findings.append(Finding(at, "nothing of it", f"the payment {payment.intent}"))
        paid = money.value(order.get("paidAmount")) if isinstance(order, dict) else None
        if not findings and before is not None and paid is not None and paid > before + 1:
            expected = f"{money.shown(before + 1, money.currency(held.order['paidAmount']))}, with the holder's payment"
            findings.append(Finding(f"{where}, $.paidAmount", expected, money.shown(order["paidAmount"])))
    if findings and not excused(partner, found):
        refused = not any(payment.exchange.succeeded for _, payment in foreign)
        raise Violation(*findings, hint="it is recorded before its lock is looked up" if refused else HINT)
    carried_out(own, "under the live lock")
