"""Attacks a server from outside, and says what gave way.

    run.py URL [--long] [ATTACK…]

The server runs with REGISTRATION=open and TRUSTED_PROXIES=127.0.0.1/32 on an empty data directory. Ends with 0 when all that was tried
held. `--long` adds comparisons of time, which only a quiet machine can make, and longer sieges.
"""

import sys
import time

import bodies
import browsers
import framing
import injection
import isolation
import privileges
import sessions
import tokens
from document import operations
from findings import Findings
from wire import Server
from world import Tenant

ATTACKS = {
    "isolation": isolation.attack, "tokens": tokens.attack, "sessions": sessions.attack, "privileges": privileges.attack,
    "bodies": bodies.attack, "browsers": browsers.attack, "framing": framing.attack, "injection": injection.attack,
}
# Fewer attempts than these mean that the attack missed its aim.
LEAST = {
    "isolation": {"isolation": 500, "isolation by body": 40, "isolation of lists": 50}, "tokens": {"tokens": 70},
    "sessions": {"refresh": 20, "logout": 10, "enumeration": 7, "guessing": 4}, "privileges": {"mass assignment": 60},
    "bodies": {"bodies": 100}, "browsers": {"cors": 100, "socket origin": 10, "sockets": 20, "headers": 30},
    "framing": {"framing": 150, "paths": 40, "slow clients": 20}, "injection": {"injection": 5_000},
}


class World:
    def __init__(self, url, is_long):
        self.server, self.is_long = Server(url), is_long
        self.tenants = [Tenant(self.server, number) for number in range(4)]
        self.operations = operations(self.server)
        self.own = isolation.OWN


def main(arguments):
    is_long = "--long" in arguments
    url, *names = [each for each in arguments if not each.startswith("--")]
    world, findings, least = World(url, is_long), Findings(), {}
    for name in names or ATTACKS:
        started = time.monotonic()
        ATTACKS[name](world, findings)
        least.update(LEAST[name])
        print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)
    if is_long and (not names or "isolation" in names):
        isolation.timing(world, findings)
    alive = world.server.another().call("GET", "/health")
    findings.check("the server", alive.status == 200, f"/health: {alive}")
    return 0 if findings.report(least) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
