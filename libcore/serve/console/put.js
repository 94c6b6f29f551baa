// An event that somebody puts from the page, through PutEvents.
import { h, arn, aws, field, put_events, camel, select } from "./ui.js";

const own = ["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE", "IMPRESSION",
    "RECOMMENDATION_ID", "EVENT_ATTRIBUTION_SOURCE"];

// Which group an event is for is told by a tracker: among several groups, one is made with
// the first event.
async function tracking_id(app) {
    if (!app.group.trackers.length && !app.server.single) {
        const made = await aws("CreateEventTracker", { name: "console",
            datasetGroupArn: arn(app, "dataset-group", app.group.name) });
        app.group.trackers.push(made.trackingId);
    }
    return app.group.trackers[0] || "console";
}

// Inputs for the type and for the columns that an event must have, and put(user, item), which
// sends it. memory keeps what was typed.
export function event_form(app, memory) {
    const d = app.group.datasets.find((x) => x.dataset === "interactions");
    const fields = d ? d.fields : [];
    const kept = memory.event ||= {};
    const input = (f, props) => {
        const values = f && f.values && f.values.filter((v) => v);
        const e = values && values.length
            ? select(props, values.map((v) => [v, v]), kept[props["data-name"]] || values[0])
            : h("input", { autocomplete: "off", value: kept[props["data-name"]] ||
                (props["data-name"] === "eventType" ? "View" : ""), ...props });
        e.addEventListener("change", () => { kept[props["data-name"]] = e.value; });
        return e;
    };
    const column = fields.find((f) => f.name === "EVENT_TYPE");
    // The type that is most usual, by its name.
    const usual = column && (column.values || []).find((v) => /^(view|click|watch)$/i.test(v));
    if (usual && !kept.eventType)
        kept.eventType = usual;
    const type = input(column, { id: "event-type", "data-name": "eventType" });
    const rest = fields.filter((f) => !own.includes(f.name) && !f.nullable)
        .map((f) => [f, input(f, { "data-name": camel(f.name), required: true })]);

    async function put(user, item) {
        const properties = {};
        for (const [f, e] of rest)
            properties[camel(f.name)] = f.type === "string" ? e.value
                : f.type === "boolean" ? e.value === "true" : Number(e.value);
        const event = { eventType: type.value, itemId: item, sentAt: Math.floor(Date.now() / 1000),
            eventId: crypto.randomUUID() };
        if (rest.length)
            event.properties = JSON.stringify(properties);
        await put_events({ trackingId: await tracking_id(app), userId: user,
            sessionId: "console-" + user, eventList: [event] });
    }
    // A line for pz-event like it.
    const sample = () => JSON.stringify(Object.fromEntries([["userId", "u1"], ["itemId", "i1"],
        ["eventType", type.value], ...rest.map(([f, e]) =>
            [f.name, f.type === "string" ? e.value : Number(e.value) || 0])]));
    return {
        type, put, sample,
        controls: [field("Event type", type), ...rest.map(([f, e]) => field(f.name.toLowerCase(), e))],
    };
}
