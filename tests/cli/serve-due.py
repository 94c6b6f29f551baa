"""Makes a metric attribution look as if it were: due; or being written by a server that ended."""
import json
import sqlite3
import sys

db = sqlite3.connect(sys.argv[1])
((text,),) = db.execute("SELECT doc FROM resource WHERE kind = 'metricAttribution'")
doc = json.loads(text)
if sys.argv[2] == "due":
    doc["pzAt"] -= 1000
else:
    doc.update(pzSeq=0, pzReport={"upto": doc["pzSeq"], "at": 5})
db.execute("UPDATE resource SET doc = ? WHERE kind = 'metricAttribution'", [json.dumps(doc)])
db.commit()
