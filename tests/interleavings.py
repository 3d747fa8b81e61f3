"""Every order in which the requests of several writers can reach a server.

Each writer runs in a thread of its own and is held before every request until it is its turn. One run follows one order; the
next follows another, until all have been seen in which a writer is interrupted at most `switches` times in all.
"""
from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Writer = Callable[["Turns"], Any]


@dataclass
class Thread:
    """One writer. asked: how many requests it has sent."""

    name: int
    asked: int = 0
    waiting: bool = False
    ended: bool = False
    resting_until: dict[int, int] | None = None  # for each other writer, how many requests it must have sent by then
    result: Any = None
    error: BaseException | None = None


@dataclass
class Turns:
    """Lets the writers of one run take turns: first as `order` says, then whoever had the last turn goes on."""

    order: tuple[int, ...]
    threads: list[Thread] = field(default_factory=list)
    taken: list[tuple[int, list[int]]] = field(default_factory=list)  # who had each turn, and who could have had it

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._turn: int | None = None
        self._own = threading.local()

    def run(self, writers: list[Writer]) -> list[Thread]:
        self.threads = [Thread(number) for number in range(len(writers))]
        pairs = zip(self.threads, writers, strict=True)
        running = [threading.Thread(target=self._work, args=pair, daemon=True) for pair in pairs]
        for thread in running:
            thread.start()
        with self._changed:
            while self._until_all_wait():
                could = [one.name for one in self.threads if one.waiting]
                place = len(self.taken)
                last = self.taken[-1][0] if self.taken else could[0]
                wanted = self.order[place] if place < len(self.order) else last
                self._turn = wanted if wanted in could else could[0]
                self.taken.append((self._turn, could))
                self.threads[self._turn].waiting = False
                self._changed.notify_all()
        for thread in running:
            thread.join()
        return self.threads

    def _until_all_wait(self) -> bool:
        """Whether somebody waits for a turn, once nobody is on the way any more."""
        while True:
            assert self._changed.wait_for(self._settled, timeout=30), "a writer is stuck"
            rested = [one for one in self.threads if one.resting_until is not None and self._has_rested(one)]
            if not rested:
                return any(one.waiting for one in self.threads)
            for one in rested:
                one.resting_until = None
            self._changed.notify_all()

    def _settled(self) -> bool:
        return self._turn is None and all(one.waiting or one.ended or one.resting_until is not None for one in self.threads)

    def _has_rested(self, one: Thread) -> bool:
        others = [other for other in self.threads if other is not one and not other.ended and other.resting_until is None]
        return all(other.asked >= (one.resting_until or {})[other.name] for other in others)

    def _work(self, own: Thread, writer: Writer) -> None:
        self._own.thread = own
        try:
            own.result = writer(self)
        except Exception as error:
            own.error = error
        with self._changed:
            own.ended = True
            self._changed.notify_all()

    @contextmanager
    def request(self) -> Iterator[int]:
        """Around a writer's request: the number that it has among its requests, from 1 on."""
        own = self._own.thread
        with self._changed:
            own.waiting = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._turn == own.name)
            own.asked += 1
        try:
            yield own.asked
        finally:
            with self._changed:
                self._turn = None
                self._changed.notify_all()

    def rest(self, _seconds: float) -> None:
        """A writer's pause: what the others were about to send when it began is sent before it ends."""
        own = self._own.thread
        with self._changed:
            own.resting_until = {other.name: other.asked + 1 for other in self.threads}
            self._changed.notify_all()
            self._changed.wait_for(lambda: own.resting_until is None)


def explore(run: Callable[[tuple[int, ...]], Turns], switches: int) -> int:
    """Call `run` with every order in which at most `switches` writers are interrupted; how many there were."""
    orders: list[tuple[int, ...]] = [()]
    count = 0
    while orders:
        order = orders.pop()
        taken = run(order).taken
        count += 1
        for place in range(len(order), len(taken)):
            before = [turn for turn, _could in taken[:place]]
            for other in taken[place][1]:
                if other != taken[place][0] and _interruptions([*taken[:place], (other, taken[place][1])]) <= switches:
                    orders.append((*before, other))
    return count


def _interruptions(taken: list[tuple[int, list[int]]]) -> int:
    """How often somebody had a turn while the one before could have gone on."""
    pairs = zip(taken, taken[1:], strict=False)
    return sum(turn != last and last in could for (last, _could), (turn, could) in pairs)
