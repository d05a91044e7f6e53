"""How renders at once divide the machine."""

from videos.worker.core_share import CoreShare


def test_a_render_alone_gets_every_core_and_renders_at_once_divide_them() -> None:
    share = CoreShare(4)
    with share.taken() as first:
        with share.taken() as second, share.taken() as third:
            assert (first, second, third) == (4, 2, 1)
        with share.taken() as next_one:
            assert next_one == 2
    with share.taken() as alone:
        assert alone == 4


def test_more_renders_than_cores_get_one_each() -> None:
    share = CoreShare(1)
    with share.taken(), share.taken() as second:
        assert second == 1


def test_a_render_that_fails_gives_its_cores_back() -> None:
    share = CoreShare(2)
    try:
        with share.taken():
            raise RuntimeError("the render failed")
    except RuntimeError:
        pass
    with share.taken() as threads:
        assert threads == 2
