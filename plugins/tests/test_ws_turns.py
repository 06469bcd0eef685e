"""
The session is shared by many checks, or held by one alone; whoever came first goes first.
"""

from __future__ import annotations

import asyncio

from collections.abc import Awaitable, Callable

import pytest

from epos_conformance.websocket.turns import Mode, Turns


class Queue:
    """
    Turns, and who has one.
    """

    def __init__(self) -> None:
        self.turns = Turns()
        self.having: list[str] = []
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, owner: str, mode: Mode = "shared") -> None:
        """*owner* asks for a turn, and gets it or waits."""
        self._tasks[owner] = asyncio.create_task(self._take(owner, mode))
        await self.settle()

    async def leave(self, owner: str) -> None:
        """The turn of *owner* ends."""
        self.having.remove(owner)
        self.turns.drop(owner)
        await self.settle()

    async def die(self, owner: str) -> None:
        """*owner* waits no more, without saying so."""
        self._tasks[owner].cancel()
        await asyncio.gather(self._tasks[owner], return_exceptions=True)
        await self.settle()

    async def _take(self, owner: str, mode: Mode) -> None:
        await self.turns.take(owner, mode)
        self.having.append(owner)

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    async def end(self) -> None:
        for each in self._tasks.values():
            each.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


def play(story: Callable[[Queue], Awaitable[None]]) -> None:
    async def main() -> None:
        queue = Queue()
        await story(queue)
        await queue.end()

    asyncio.run(main())


def test_many_share() -> None:
    async def story(queue: Queue) -> None:
        for owner in "abc":
            await queue.come(owner)
        assert queue.having == ["a", "b", "c"]

    play(story)


def test_who_wants_to_be_alone_waits_for_all_others() -> None:
    async def story(queue: Queue) -> None:
        await queue.come("a")
        await queue.come("b")
        await queue.come("alone", "alone")
        await queue.leave("a")
        assert queue.having == ["b"]
        await queue.leave("b")
        assert queue.having == ["alone"]

    play(story)


def test_nobody_comes_in_while_one_is_alone() -> None:
    async def story(queue: Queue) -> None:
        await queue.come("alone", "alone")
        await queue.come("a")
        await queue.come("b", "alone")
        await queue.come("c")
        assert queue.having == ["alone"]
        await queue.leave("alone")
        assert queue.having == ["a"]
        await queue.leave("a")
        assert queue.having == ["b"]
        await queue.leave("b")
        assert queue.having == ["c"]

    play(story)


def test_who_wants_to_be_alone_is_not_passed() -> None:
    async def story(queue: Queue) -> None:
        await queue.come("a")
        await queue.come("alone", "alone")
        await queue.come("b")
        assert queue.having == ["a"]

    play(story)


def test_all_who_share_come_in_together_after_one_alone() -> None:
    async def story(queue: Queue) -> None:
        await queue.come("alone", "alone")
        for owner in "abc":
            await queue.come(owner)
        await queue.leave("alone")
        assert queue.having == ["a", "b", "c"]

    play(story)


def test_who_dies_waiting_holds_up_nobody() -> None:
    async def story(queue: Queue) -> None:
        await queue.come("a")
        await queue.come("alone", "alone")
        await queue.come("b")
        await queue.die("alone")
        assert queue.having == ["a", "b"]

    play(story)


def test_who_dies_at_the_instant_of_getting_a_turn_keeps_none() -> None:
    async def story(queue: Queue) -> None:
        await queue.come("first", "alone")
        await queue.come("second", "alone")
        await queue.come("third")
        # Granted, and canceled before it can know.
        queue.turns.drop("first")
        await queue.die("second")
        assert queue.having == ["first", "third"]

    play(story)


def test_who_leaves_the_queue_by_dropping_gets_no_turn_later() -> None:
    async def story(queue: Queue) -> None:
        await queue.come("first", "alone")
        await queue.come("second", "alone")
        await queue.come("third")
        queue.turns.drop("second")
        await queue.leave("first")
        assert queue.having == ["third"]

    play(story)


@pytest.mark.parametrize("mode", ["shared", "alone"])
def test_dropping_twice_or_without_a_turn_does_nothing(mode: Mode) -> None:
    async def story(queue: Queue) -> None:
        await queue.come("a", mode)
        queue.turns.drop("stranger")
        await queue.leave("a")
        queue.turns.drop("a")
        await queue.come("alone", "alone")
        await queue.come("b")
        queue.turns.drop("a")
        await queue.settle()
        assert queue.having == ["alone"]

    play(story)


def test_a_turn_may_be_taken_again() -> None:
    async def story(queue: Queue) -> None:
        for mode in ("alone", "shared", "alone"):
            await queue.come("a", mode)
            assert queue.having == ["a"]
            await queue.leave("a")

    play(story)
