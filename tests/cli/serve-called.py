"""Was every operation of botocore's models called, and both answered and refused?"""
import re
import sys

from serve_api import BY_HAND, camel, clients

man = open(sys.argv[2], encoding="ascii").read()
table = dict(re.findall(r"^\.It ([A-Z]\w+) Ta (\w+)$", man, re.M))
wanted = {("personalize", o) for o in table}
wanted |= {(service, camel(o)) for o, (service, path) in BY_HAND.items()}
for service, client in clients.items():
    wanted |= {(service, o) for o in client.meta.service_model.operation_names}
called = {tuple(line.split()) for line in open("called", encoding="ascii")}
for service, operation in sorted(wanted):
    ways = ("answered", "refused") if table.get(operation, "yes") == "yes" else ("refused",)
    for how in ways:
        if (service, operation, how) not in called:
            print(f"{service} {operation}: not {how} in this test")
for service, operation in sorted({c[:2] for c in called} - wanted):
    print(f"{service} {operation}: called, but in no model and not in pz-aws(7)")
