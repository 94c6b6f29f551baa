// Datasets: how large, of what, and what in them would hurt a model.
import { h, add, fill, ask, command, commands, table, bars, rule, columns_of, tile, note, failed,
    count, number, percent, bytes, day, line } from "./ui.js";
import { import_form, new_group } from "./import.js";

function use(f) {
    if (/^(USER|ITEM|ACTION)_ID$/.test(f.name))
        return "id";
    if (f.name === "TIMESTAMP" || f.name === "CREATION_TIMESTAMP")
        return "time";
    return f.categorical ? "categorical" : f.textual ? "text" : "";
}

const seconds = (s) => day(new Date(s * 1000).toISOString());

// Smallest, quartiles, largest: as text and drawn from 0 (or the smallest) to the 99th
// percentile.
function spread(v, is_time) {
    const show = is_time ? seconds : (x) => number(x, 3);
    const text = `${show(v.min)} to ${show(v.max)}, half of them from ${show(v.p25)} to ` +
        `${show(v.p75)}, in the middle ${show(v.p50)}`;
    const from = is_time ? v.min : Math.min(0, v.min);
    const to = is_time ? v.max : Math.max(v.p99, v.p75);
    const x = (value) => to > from ? 4 + 192 * Math.min(1, (value - from) / (to - from)) : 100;
    return h("svg", { viewBox: "0 0 200 16", class: "box", role: "img", "aria-label": text },
        h("line", { x1: x(v.min), x2: x(v.p99), y1: 8, y2: 8 }),
        h("rect", { x: x(v.p25), y: 3, width: Math.max(1, x(v.p75) - x(v.p25)), height: 10, rx: 2 }),
        h("line", { class: "mid", x1: x(v.p50), x2: x(v.p50), y1: 1, y2: 15 }));
}

function values_of(c, f) {
    if (!c)
        return "";
    if (c.values && use(f) === "time")
        return seconds(c.values.min) + " to " + seconds(c.values.max);
    if (c.values)
        return number(c.values.min, 3) + " to " + number(c.values.max, 3) + ", half under " +
            number(c.values.p50, 3);
    return c.distinct !== undefined ? count(c.distinct) + " different" : "";
}

function dataset(d, insights) {
    const known = insights && insights[d.dataset] ? insights[d.dataset].columns : [];
    const of = (f) => known.find((c) => c.name === f.name);
    const rows = d.fields.map((f) => ({ f, c: of(f) }));
    return h("section", null,
        h("h2", null, d.dataset[0].toUpperCase() + d.dataset.slice(1).replace("-", " "), " ",
            h("small", null, count(d.rows) + " rows, " + bytes(d.bytes))),
        table("Columns of " + d.dataset, [
            { name: "Column", cell: (r) => h("code", null, r.f.name) },
            { name: "Type", cell: (r) => r.f.type + (r.f.nullable ? " or null" : "") },
            { name: "Use", cell: (r) => use(r.f) },
            { name: "Filled", num: true, cell: (r) => r.c ? percent(r.c.filledPercent) :
                use(r.f) === "id" ? percent(100) : "" },
            { name: "Values", cell: (r) => values_of(r.c, r.f) },
            { name: "Spread", chart: true, cell: (r) =>
                r.c && r.c.values ? spread(r.c.values, use(r.f) === "time") : "" },
        ], rows));
}

function schema(app, d) {
    const g = app.group;
    return h("details", null, h("summary", null, "Schema of " + d.dataset),
        h("pre", { class: "compiled" }, JSON.stringify(d.schema, null, 2)),
        command(line("pz-info", "-g", g.path, "--schema", d.dataset)));
}

function minimums(list) {
    const name = {
        interactions: "Interactions", activeUsers: "Users with two or more",
        activeUserPercent: "Users with two or more, in percent",
        interactedItems: "Items with interactions",
    };
    return list.map((m) => {
        const want = m.advised || m.needed;
        return h("div", { class: "need" },
            h("div", { class: "row" }, h("span", null, name[m.name] || m.name),
                h("span", null, number(m.have) + " of " + number(want) +
                    (m.advised ? " advised" : " needed"))),
            rule(want ? m.have / want : 1));
    });
}

function findings(list) {
    const kind = { error: "bad", warning: "warn", advice: "" };
    if (!list.length)
        return note("good", "Nothing to find fault with.");
    return h("ul", { class: "findings" }, list.map((f) => h("li", null,
        h("span", { class: "tag " + (kind[f.level] || "") }, f.level), h("span", null, f.message))));
}

const each = (v) => `${number(v.min)} to ${number(v.max)}, half have at most ${number(v.p50)}, ` +
    `nine in ten at most ${number(v.p90)}`;

function insight(root, app, r, titles) {
    const i = r.interactions, types = i.eventTypes || []; // none without the column
    fill(root,
        h("h2", null, "Findings"), findings(r.findings),
        h("div", { class: "columns" },
            h("section", { class: "card" }, h("h3", null, "What training needs"),
                minimums(r.minimums),
                h("dl", null,
                    h("dt", null, "Interactions of a user"), h("dd", null, each(i.rowsPerUser)),
                    h("dt", null, "Interactions of an item"), h("dd", null, each(i.rowsPerItem)))),
            types.length ? h("section", { class: "card" }, h("h3", null, "Event types"),
                bars(types.map((t) => [t.eventType, t.count]))) : null,
            h("section", { class: "card" }, h("h3", null, "Items with most interactions"),
                bars(i.topItems.map((t) => [titles[t.itemId] || t.itemId, t.count])))),
        app.group.datasets.map((d) => dataset(d, r)));
}

// When the interactions were.
function activity(g, inter) {
    const box = h("figure", null, h("figcaption", { class: "ends" },
        h("span", null, day(inter.from)), h("span", null, "Interactions by time"),
        h("span", null, day(inter.to))));
    ask("activity", { groupName: g.name, parts: 60 }).then((r) => {
        const most = Math.max(...r.counts);
        box.prepend(columns_of(r.counts, "Interactions from " + day(inter.from) + " to " +
            day(inter.to) + ", in " + r.counts.length + " parts of " +
            number(r.seconds / 86400, 3) + " days; at most " + count(most) + " in one"));
    }).catch(() => {}); // the dates are there
    return box;
}

// ---- the view ----

export function overview(root, app) {
    const g = app.group;
    const of = (name) => g.datasets.find((d) => d.dataset === name);
    const inter = of("interactions");
    const rest = h("div");
    let gone = false;
    add(root, h("h1", null, g.name));
    if (!g.datasets.length)
        add(root, note("", "This group has no datasets yet. Interactions come first: who did what, " +
            "and when."));
    add(root, h("div", { class: "tiles" },
        inter ? [tile(count(inter.rows), "interactions"), tile(count(inter.users), "users"),
            tile(count(inter.items), "items with interactions")] : null,
        of("items") ? tile(count(of("items").rows), "items described") : null,
        tile(count(g.versions.length), g.versions.length === 1 ? "model" : "models"),
        g.eventStore ? tile(count(g.eventStore.events), "events put since") : null));
    if (inter && inter.from)
        add(root, activity(g, inter));
    add(root, rest);
    if (inter) {
        fill(rest, h("p", { class: "quiet", role: "status" }, "Reading the datasets\u2026"));
        ask("insights", { groupName: g.name }).then(async (r) => {
            const ids = r.interactions.topItems.map((t) => t.itemId);
            const { titles } = await ask("titles", { groupName: g.name, ids });
            if (!gone)
                insight(rest, app, r, titles);
        }).catch((e) => {
            if (!gone)
                fill(rest, failed(e), g.datasets.map((d) => dataset(d, null)));
        });
    } else {
        fill(rest, g.datasets.map((d) => dataset(d, null)));
    }
    if (g.datasets.length)
        add(root, h("h2", null, "Schemas"), g.datasets.map((d) => schema(app, d)),
            commands("The same on the command line", line("pz-info", "-g", g.path),
                line("pz-info", "-g", g.path, "--verify")));
    add(root, h("h2", null, "Import"), import_form(app), new_group(app));
    return () => { gone = true; };
}
