"""The cache of one process: bounded, shared between threads, never stale because keys hold all."""

from __future__ import annotations

import threading

import pytest

from builder.metadata.cache import ProcessCache


def test_a_value_is_made_once_per_key() -> None:
    cache: ProcessCache[str, object] = ProcessCache(3)
    first = cache.get("a", object)
    assert cache.get("a", object) is first
    assert cache.get("b", object) is not first


def test_the_least_recently_used_value_goes_first() -> None:
    cache: ProcessCache[str, object] = ProcessCache(2)
    kept, gone = cache.get("a", object), cache.get("b", object)
    cache.get("a", object)
    cache.get("c", object)
    assert len(cache) == 2
    assert cache.get("a", object) is kept
    assert cache.get("b", object) is not gone


def test_an_error_is_raised_and_nothing_is_kept() -> None:
    cache: ProcessCache[str, int] = ProcessCache(2)
    with pytest.raises(ZeroDivisionError):
        cache.get("a", lambda: 1 // 0)
    assert cache.get("a", lambda: 7) == 7


def test_threads_that_make_the_same_value_get_the_same_one() -> None:
    cache: ProcessCache[str, object] = ProcessCache(2)
    barrier = threading.Barrier(8)
    got: list[object] = []

    def make() -> object:
        barrier.wait(5)
        return object()

    threads = [threading.Thread(target=lambda: got.append(cache.get("a", make))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert len(got) == 8
    assert len(set(map(id, got))) == 1
