"""A worker process of a DataLoader.

One pipe per worker carries requests down and batches up. A thread of the worker takes requests off the pipe all the
time, so that the parent never blocks on sending one while the worker blocks on sending a batch. The pipe's end is also
how each side learns that the other is gone.
"""
import random
import sys
import threading
import traceback

import hwaro as torch
from hwaro.utils.data import _info

RESUME = "resume"


class StreamEnded:
    """Sent instead of a batch when this worker's stream is used up."""


class _KeyErrorMessage(str):
    # KeyError shows repr(message); this keeps the line breaks of the worker's traceback.
    def __repr__(self):
        return str(self)


class Failure:
    """An exception of a worker, as text, because tracebacks do not travel."""

    def __init__(self, where):
        kind, value, trace = sys.exc_info()
        self.kind = kind
        self.text = "".join(traceback.format_exception(kind, value, trace))
        self.where = where

    def reraise(self):
        message = f"Caught {self.kind.__name__} {self.where}.\nOriginal {self.text}"
        if self.kind is KeyError:
            message = _KeyErrorMessage(message)
        elif getattr(self.kind, "message", None):
            raise self.kind(message=message)
        try:
            error = self.kind(message)
        except Exception:  # The class wants other arguments.
            raise RuntimeError(message) from None
        raise error


def _seed_everything(base_seed, worker_id):
    seed = base_seed + worker_id
    random.seed(seed)
    torch.manual_seed(seed)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        words = [worker_id, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
        numpy.random.seed(numpy.random.SeedSequence(words).generate_state(4))
    return seed


def _receive(pipe, requests):
    try:
        while True:
            request = pipe.recv()
            requests.put(request)
            if request is None:
                return
    except (EOFError, OSError):  # The parent is gone.
        requests.put(None)


def run(worker_id, num_workers, pipe, other_pipes, dataset, make_fetcher, base_seed, init_fn):
    """Answer (number, indices) with (number, batch) until told to stop."""
    import queue
    for other in other_pipes:  # Ends of the parent that fork copied into this process.
        other.close()
    where = f"in DataLoader worker process {worker_id}"
    try:
        torch.set_num_threads(1)
        seed = _seed_everything(base_seed, worker_id)
        _info._current = _info.WorkerInfo(id=worker_id, num_workers=num_workers, seed=seed, dataset=dataset)
        requests = queue.SimpleQueue()
        threading.Thread(target=_receive, args=(pipe, requests), daemon=True).start()
        failure, fetcher = None, None
        try:
            if init_fn is not None:
                init_fn(worker_id)
            fetcher = make_fetcher(dataset)
        except Exception:
            failure = Failure(where)
        ended = False
        while True:
            request = requests.get()
            if request is None:
                return
            number, indices = request
            if indices == RESUME:
                pipe.send((number, RESUME))
                ended = False
                try:
                    fetcher = make_fetcher(dataset)
                except Exception:
                    failure = Failure(where)
                continue
            if failure is not None:
                answer, failure = failure, None
            elif ended:
                continue
            else:
                try:
                    answer = fetcher.fetch(indices)
                except StopIteration:
                    answer, ended = StreamEnded(), True
                except Exception:
                    answer = Failure(where)
            try:
                pipe.send((number, answer))
            except (BrokenPipeError, ConnectionError):
                return
            except Exception:  # The batch cannot be pickled.
                pipe.send((number, Failure(where)))
    except KeyboardInterrupt:
        pass  # The parent reports it.
