"""One pass over a DataLoader with worker processes: requests go out round robin, batches come back in order."""
import multiprocessing
import warnings
from multiprocessing.connection import wait

from hwaro.utils.data import _worker
from hwaro.utils.data.dataloader import _BaseDataLoaderIter


class _MultiProcessingDataLoaderIter(_BaseDataLoaderIter):
    def __init__(self, loader):
        super().__init__(loader)
        self._shut_down = False
        self._workers, self._pipes = [], []
        context = loader.multiprocessing_context or multiprocessing.get_context(
            "fork" if "fork" in multiprocessing.get_all_start_methods() else None)
        for worker_id in range(loader.num_workers):
            ours, theirs = context.Pipe()
            inherited = [*self._pipes, ours] if context.get_start_method() == "fork" else []
            worker = context.Process(
                target=_worker.run, daemon=True,
                args=(worker_id, loader.num_workers, theirs, inherited, loader.dataset, self._make_fetcher(),
                      self._base_seed, loader.worker_init_fn))
            with warnings.catch_warnings():
                # The engine's pool is rebuilt in the child, so forking a process with threads is fine here.
                warnings.filterwarnings("ignore", category=DeprecationWarning, message=".*fork.*")
                worker.start()
            theirs.close()
            self._workers.append(worker)
            self._pipes.append(ours)
        self._begin()

    def _begin(self):
        count = len(self._workers)
        self._sent = 0       # number of the next request
        self._received = 0   # number of the next batch to give out
        self._owner = {}     # request -> worker
        self._ready = {}     # request -> batch that came early
        self._active = [True] * count
        self._next_worker = 0
        for _ in range(self._loader.prefetch_factor * count):
            self._request()

    def _reset(self, loader):
        """Start another pass with the same workers; whatever the last one left over is thrown away."""
        super()._reset(loader)
        for pipe in self._pipes:
            pipe.send((-1, _worker.RESUME))
        waiting = set(range(len(self._pipes)))
        while waiting:
            for worker_id in self._wait(waiting):
                _, data = self._receive(worker_id)
                if isinstance(data, str) and data == _worker.RESUME:
                    waiting.discard(worker_id)
        self._begin()

    def _request(self):
        """Send the next indices to the next worker that still has something."""
        try:
            indices = next(self._sampler_iter)
        except StopIteration:
            return
        for _ in self._workers:
            worker_id = self._next_worker
            self._next_worker = (worker_id + 1) % len(self._workers)
            if self._active[worker_id]:
                break
        else:
            return
        self._owner[self._sent] = worker_id
        try:
            self._pipes[worker_id].send((self._sent, indices))
        except (BrokenPipeError, ConnectionError):
            self._fail_because_of_dead_workers()
        self._sent += 1

    def _wait(self, worker_ids):
        """Workers of this set that have an answer."""
        pipes = {self._pipes[worker_id]: worker_id for worker_id in worker_ids}
        timeout = self._loader.timeout
        ready = wait(list(pipes), timeout if timeout > 0 else None)
        if not ready:
            raise RuntimeError(f"DataLoader timed out after {timeout} seconds")
        return [pipes[pipe] for pipe in ready]

    def _receive(self, worker_id):
        try:
            return self._pipes[worker_id].recv()
        except (EOFError, ConnectionError):
            self._fail_because_of_dead_workers()

    def _fail_because_of_dead_workers(self):
        for worker in self._workers:
            worker.join(0.2)
        dead = ", ".join(str(worker.pid) for worker in self._workers if not worker.is_alive())
        self._stop()
        raise RuntimeError(f"DataLoader worker (pid(s) {dead}) exited unexpectedly")

    def _next_data(self):
        if self._shut_down:
            raise StopIteration
        while True:
            # Requests to a worker whose stream had ended will never be answered.
            while self._received < self._sent and self._received not in self._ready and not self._active[
                    self._owner[self._received]]:
                del self._owner[self._received]
                self._received += 1
            if self._received >= self._sent:
                if not self._loader.persistent_workers:
                    self._stop()
                raise StopIteration
            number = self._choose_ready()
            if number is not None:
                data = self._ready.pop(number)
                del self._owner[number]
                if number == self._received:
                    self._received += 1
                self._request()
                if isinstance(data, _worker.Failure):
                    if not self._loader.persistent_workers:
                        self._stop()
                    data.reraise()
                return data
            waited_for = {worker_id for worker_id in self._owner.values() if self._active[worker_id]}
            for worker_id in self._wait(waited_for):
                number, data = self._receive(worker_id)
                if isinstance(data, _worker.StreamEnded):
                    self._active[worker_id] = False
                    self._request()
                else:
                    self._ready[number] = data

    def _choose_ready(self):
        if self._received in self._ready:
            return self._received
        if not self._loader.in_order and self._ready:
            return next(iter(self._ready))
        return None

    def _stop(self):
        if self._shut_down:
            return
        self._shut_down = True
        for pipe in self._pipes:
            try:
                pipe.send(None)
            except OSError:
                pass
            pipe.close()
        for worker in self._workers:
            worker.join(5)
            if worker.is_alive():
                worker.terminate()
                worker.join()

    def __del__(self):
        workers = self.__dict__.get("_workers")
        # In a forked child this object is a copy, and the workers are not its children.
        if workers and workers[0]._parent_pid == multiprocessing.current_process().pid:
            self._stop()
