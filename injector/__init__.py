"""The injector: the program on every node that injects and heals faults, each under a timer that outlives its pod.

Python's standard library only, 3.11. The harness calls it over a shell held open in its pod; every fault is one record
in a directory on the node, tagged with the fault's id, and everything that the fault changes can be undone from it.
"""
