"""What programs call that is neither Python's nor the library's: a forked child, and two user threads."""

import os
import pickle
import threading


def in_child(function):
    """What function() returns or raises in a forked child."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reading)
            try:
                result = (None, function())
            except Exception as error:
                result = ((type(error).__name__, str(error).split("\n")[0]), None)
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump(result, pipe)
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        data = pipe.read()
    _, status = os.waitpid(child, 0)
    return pickle.loads(data) if data else ("died", status)


def in_two_threads(function):
    """[function(0), function(1)], or what they raised, computed at once by two threads."""
    results, barrier = [None, None], threading.Barrier(2)

    def work(k):
        barrier.wait()
        try:
            results[k] = function(k)
        except Exception as error:
            results[k] = (type(error).__name__, str(error).split("\n")[0])

    threads = [threading.Thread(target=work, args=(k,)) for k in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
