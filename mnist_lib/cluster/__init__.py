"""Trains queued runs on other machines, with Dask: a dispatcher here, a task on each worker.

The run directory is the interface there as it is here: a worker trains in a folder of its own by the very same
``train``, and the dispatcher brings what is new in it into the run directory here.
"""
