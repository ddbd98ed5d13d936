"""Whether messages are as docs/protocol.schema.json says; told by a validator that knows nothing of our types.

Reads the schema's path as its argument, and a line of JSON for each exchange, {"request": …, "reply": …}, or notification,
{"notification": …}. Prints the methods that were answered with a result, and the events that were told.
"""

import json
import sys

from jsonschema import Draft202012Validator

schema = json.load(open(sys.argv[1]))
Draft202012Validator.check_schema(schema)
validators = {}


def faults(definition, message):
    if definition not in validators:
        validators[definition] = Draft202012Validator({**schema, "anyOf": [{"$ref": f"#/$defs/{definition}"}]})
    return [fault.message for fault in validators[definition].iter_errors(message)]


def hold(holds, what, message):
    if not holds:
        sys.exit(f"{what}: {json.dumps(message)}")


answered = set()
for line in sys.stdin:
    exchange = json.loads(line)
    if "notification" in exchange:
        told = exchange["notification"]
        answered.add(told["params"]["event"])
        hold(not faults("notification", told), "no notification is so", told)
        newer = {**told, "params": {**told["params"], "event": "newer"}}
        hold(not faults("notification", newer), "there may be more of them", newer)
        for field in told["params"]:
            less = {**told, "params": {name: value for name, value in told["params"].items() if name != field}}
            hold(faults("notification", less), f"{field} is always said", less)
        continue
    request, reply = exchange["request"], exchange["reply"]
    method = request["method"]
    said_wrongly = reply.get("error", {}).get("code") == -32602
    if not said_wrongly:
        hold(not faults(method, request), f"{method} is not as the schema says", request)
    hold(not faults("reply", reply), "no reply is so", reply)
    # What the daemon refuses, the schema refuses too.
    misspelt = {**request, "params": {**request.get("params", {}), "misspelt": 1}}
    hold(faults(method, misspelt), f"{method} has no such parameter", misspelt)
    if "result" in reply:
        result = reply["result"]
        answered.add(method)
        hold(not faults(f"{method}.result", result), f"{method} has no such result", result)
        hold(not faults(f"{method}.result", {**result, "newer": 1}), "more may be said", result)
        always = schema["$defs"][schema["$defs"][f"{method}.result"]["$ref"].split("/")[-1]].get("required", [])
        for field in always:
            less = {name: value for name, value in result.items() if name != field}
            hold(faults(f"{method}.result", less), f"{field} is always said", less)
print(json.dumps(sorted(answered)))
