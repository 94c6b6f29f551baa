"""Every operation of the runtime and of events, answered and refused."""
import json
import sys
import time

from serve_api import A, INVALID, NOT_FOUND, VALIDATION, do, fails

group, tracking_id = sys.argv[2], sys.argv[3]
personal, actions, none = (A + "campaign/" + n for n in ("personal", "ask", "none"))
now = int(time.time())

assert len(do("get_recommendations", campaignArn=personal, userId="u1", numResults=3)["itemList"]) == 3
fails(NOT_FOUND, "get_recommendations", campaignArn=none, userId="u1")
fails(INVALID, "get_recommendations", campaignArn=personal)
ranked = do("get_personalized_ranking", campaignArn=personal, userId="u1", inputList=["i1", "i2"])
assert {i["itemId"] for i in ranked["personalizedRanking"]} == {"i1", "i2"}
fails(VALIDATION, "get_personalized_ranking", campaignArn=personal, userId="u1")
fails(INVALID, "get_personalized_ranking", campaignArn=A + "campaign/similar", userId="u1", inputList=["i1"])
assert do("get_action_recommendations", campaignArn=actions, userId="u1")["actionList"]
fails(INVALID, "get_action_recommendations", campaignArn=personal, userId="u1")

event = {"eventType": "View", "itemId": "i4", "sentAt": now, "properties": json.dumps({"device": "phone"})}
do("put_events", trackingId=tracking_id, userId="new", sessionId="s", eventList=[event])
fails(INVALID, "put_events", trackingId=tracking_id, sessionId="s", eventList=[dict(event, properties="{")])
fails(INVALID, "put_events", trackingId="none", sessionId="s", eventList=[event])
sets = A + f"dataset/{group}/"
user = {"userId": "new", "properties": json.dumps({"age": 30, "gender": "F", "membership": "guest"})}
do("put_users", datasetArn=sets + "USERS", users=[user])
fails(INVALID, "put_users", datasetArn=sets + "USERS", users=[dict(user, properties='{"none": 1}')])
item = json.dumps({"name": "Kite", "price": 9.5, "categoryL1": "toys", "categoryL2": "kites", "description": "",
                   "creationTimestamp": now})
do("put_items", datasetArn=sets + "ITEMS", items=[{"itemId": "kite", "properties": item}])
fails(NOT_FOUND, "put_items", datasetArn=A + "dataset/none/ITEMS", items=[{"itemId": "kite", "properties": item}])
action = {"actionId": "call", "properties": json.dumps({"type": "contact", "value": 2})}
do("put_actions", datasetArn=sets + "ACTIONS", actions=[action])
fails(VALIDATION, "put_actions", datasetArn=sets + "ACTIONS", actions=[])
taken = {"actionId": "call", "userId": "new", "sessionId": "s", "timestamp": now, "eventType": "Taken"}
do("put_action_interactions", trackingId=tracking_id, actionInteractions=[taken])
fails(INVALID, "put_action_interactions", trackingId="none", actionInteractions=[taken])
