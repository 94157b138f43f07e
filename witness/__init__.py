"""The witness: runs inside the cluster and records what clients of Redis experience, on one monotonic clock.

It writes and reads, samples every instance's role, every Service and name, listens to every Sentinel, and journals all
of it to disk as it goes. The harness steers it and fetches the journals over HTTP (through the API server's pod proxy);
see ``witness/server.py``. The journal's format is described in ``docs/history-format.md``. The package stands alone:
its image holds nothing else of this project.
"""
