"""Threads of BLAS: one where matrices are small, and afterwards as many as before, whoever leaves last."""

from threadpoolctl import threadpool_info, threadpool_limits

from slth.numerics import one_thread


def threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_whoever_leaves_last_restores_the_threads():
    with threadpool_limits(2, user_api="blas"):
        before = threads()
        first, second = one_thread(), one_thread()
        first.__enter__()
        second.__enter__()
        assert set(threads()) == {1}
        first.__exit__(None, None, None)
        assert set(threads()) == {1}
        second.__exit__(None, None, None)
        assert threads() == before


def test_an_exception_restores_them_too():
    before = threads()
    try:
        with one_thread():
            raise ValueError
    except ValueError:
        pass
    assert threads() == before
