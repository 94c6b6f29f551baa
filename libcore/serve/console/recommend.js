// A user or an item in, recommendations out: with titles, scores, reasons, and the lines
// that ask the same; beside them what the user did, and events to add to it.
import { h, add, fill, ask, arn, commands, field, finder, select, rule, note, failed, number, plural,
    day, time, line } from "./ui.js";
import { event_form } from "./put.js";

const words = {
    user: ["User", "Type a user id"],
    item: ["Item", "Type an item id or a title"],
    attributes: ["Attributes", "ITEMS.GENRES = \"Comedy\""],
    nobody: ["User (not needed)", ""],
};
const about_item = (c) => c.asks === "item" || c.asks === "attributes";

// Names of the placeholders of stored filters.
const parameters = (app, ...names) => [...new Set(names.flatMap((name) => {
    const f = app.group.filters.find((x) => x.name === name);
    return [...(f ? f.expression : "").matchAll(/\$([A-Za-z0-9_]+)/g)].map((x) => x[1]);
}))];

// The line of pz-recommend that asks the same.
function shell(app, c, d, q) {
    const values = Object.entries(q.filterValues || {}).map(([k, v]) => ["-V", k + "=" + v]);
    const id = about_item(c) ? q.itemId : q.userId || "nobody";
    return line("pz-recommend", "-g", app.group.path,
        "-S", c.latest ? c.solution : c.solution + "/" + c.version, "-n", q.numResults,
        q.filter ? ["-F", q.filter] : null,
        q.promotion ? ["--promote", q.promotion.percent + ":" + q.promotion.filter] : null, values,
        about_item(c) && q.userId ? ["--user", q.userId] : null,
        d.title ? ["--metadata", d.title] : null, c.explains ? "--explain" : null,
        id.startsWith("-") ? "--" : null, id);
}

function cloud(app, c, q) {
    if (c.answers === "users")
        return null; // AWS has such answers in batches only
    const action = c.answers === "actions";
    const given = (name) => Object.entries(q.filterValues || {})
        .filter(([k]) => parameters(app, name).includes(k));
    const values = given(q.filter).map(([k, v]) => `${k}=${JSON.stringify(v)}`);
    const promotion = q.promotion && JSON.stringify([{ name: "promotion",
        percentPromotedItems: q.promotion.percent,
        filterArn: arn(app, "filter", q.promotion.filter),
        filterValues: Object.fromEntries(given(q.promotion.filter)) }]);
    return line("aws", "--endpoint-url", location.origin, "personalize-runtime",
        action ? "get-action-recommendations" : "get-recommendations",
        "--campaign-arn", arn(app, "campaign", c.name),
        c.asks === "item" ? ["--item-id", q.itemId] : null,
        q.userId ? ["--user-id", q.userId] : null, "--num-results", q.numResults,
        q.filter ? ["--filter-arn", arn(app, "filter", q.filter),
            values.length ? ["--filter-values", values.join(",")] : null] : null,
        promotion ? ["--promotions", promotion] : null);
}

// The other columns: short ones beside each other, texts below.
function columns(item, d) {
    const of = (name) => d.fields.find((f) => f.name === name) || {};
    const rest = Object.entries(item.columns).filter(([name, v]) => name !== d.title && v !== "");
    const long = ([name, v]) => of(name).textual || v.length > 60;
    const shown = ([name, v]) => name === "CREATION_TIMESTAMP" && /^\d+$/.test(v)
        ? day(new Date(v * 1000).toISOString()) : v.replaceAll("|", ", ");
    const name_of = (name) => name === "CREATION_TIMESTAMP" ? "since "
        : name.toLowerCase().replaceAll("_", " ") + " ";
    return [
        h("div", null, rest.filter((c) => !long(c)).slice(0, 6).map((c) =>
            h("span", { class: "chip", title: c[0] },
                of(c[0]).categorical ? null : h("span", null, name_of(c[0])), shown(c)))),
        rest.filter(long).slice(0, 1).map((c) => h("div", { class: "text", title: c[0] }, c[1])),
    ];
}

// Contributions as bars, in another colour where they are negative.
function contributions(item) {
    const most = Math.max(...item.because.map((r) => Math.abs(r.contribution)), 1e-12);
    const bar = (x) => h("span", { class: "both", "aria-hidden": "true" },
        h("i", { class: x < 0 ? "less" : "", width: Math.min(1, Math.abs(x) / most) * 100 + "%" }));
    const row = (name, x) => [h("span", null, name), bar(x),
        h("span", { class: "num" }, number(x, 3))];
    return h("div", { class: "why" },
        item.because.map((r) => row(r.title ? [r.title, " ", h("span", { class: "id" }, r.itemId)]
            : h("span", { class: "id" }, r.itemId), r.contribution)),
        item.others ? row(plural(item.others, "other"), item.othersContribution) : null,
        h("span", { class: "sum" }, "Together"), h("span"),
        h("span", { class: "num sum" }, number(item.rawScore, 4)));
}

// Where an item was in the list before; none: nothing was put.
function moved(item, rank, before) {
    const was = before ? before.indexOf(item.id) : rank;
    return was === rank ? null : h("span", { class: "moved" },
        was < 0 ? " new here" : was > rank ? " up from " + (was + 1) : " down from " + (was + 1));
}

function entry(item, rank, most, d, action, before) {
    return h("li", { "data-id": item.id },
        h("div", null,
            h("div", null, h("span", { class: "name" }, item.title || item.id), " ",
                item.title ? h("span", { class: "id" }, item.id) : null,
                item.promoted ? h("span", { class: "tag" }, "promoted") : null,
                moved(item, rank, before)),
            columns(item, d)),
        h("div", { class: "score" }, item.score === undefined ? "" : number(item.score),
            item.score > 0 ? rule(item.score / most) : null),
        h("div", { class: "acts" },
            item.because ? h("details", null, h("summary", null, "Why"), contributions(item)) : null,
            action ? action(item) : null));
}

function results(box, c, d, q, r, titles, action, before) {
    const most = Math.max(...r.items.map((i) => i.score || 0), 1e-12);
    const who = about_item(c) ? q.itemId : q.userId;
    const said = plural(r.items.length, c.answers.slice(0, -1)) +
        (who ? " for " + (titles[who] ? titles[who] + " (" + who + ")" : who) : "") +
        " in " + (r.seconds * 1000).toFixed(r.seconds < 0.01 ? 1 : 0) + "\u202fms";
    box.said.textContent = said;
    fill(box,
        r.fallback ? note("warn", "Nothing is known of " + (who || "nobody") +
            ": these are the popular ones.") : null,
        !r.explains && r.items.length ? h("p", { class: "hint" },
            "This recipe cannot tell reasons.") : null,
        r.items.length ? h("ol", { class: "list" }, r.items.map((i, k) =>
            entry(i, k, most, d, action, before)))
            : note("", "No item passes the filter."));
}

// ---- beside ----

function past(box, user, r) {
    const list = r.events.slice().sort((a, b) => b.time.localeCompare(a.time)).slice(0, 12);
    fill(box, h("h2", null, "User " + user),
        Object.entries(r.columns).map(([k, v]) => h("span", { class: "chip" },
            h("span", null, k.toLowerCase() + " "), v)),
        h("p", { class: "hint" }, plural(r.stored, "interaction") + " imported, " +
            plural(r.put, "event") + " put since"),
        list.length ? h("ol", { class: "history", "aria-label": "The latest" }, list.map((e) =>
            h("li", null, e.eventType ? h("span", { class: "tag" + (e.put ? " good" : "") },
                e.eventType) : null, " ", e.title || e.itemId, " ",
            h("small", null, time(e.time).slice(0, 16))))) : null);
}

// Why an item is, or is not, among them.
function ask_why(app, c, question) {
    const item = finder(app, () => c.answers, { id: "whyitem" });
    const out = h("div", { id: "whysaid", "aria-live": "polite" });
    async function run(e) {
        e.preventDefault();
        try {
            const id = await item.id();
            if (!id)
                return;
            const q = { ...await question(), itemList: [id], numResults: 1 };
            delete q.promotion;
            q.filterValues = Object.fromEntries(Object.entries(q.filterValues || {})
                .filter(([k]) => parameters(app, q.filter).includes(k)));
            const filtered = q.filter ? await ask("recommend", q) : null;
            delete q.filter;
            delete q.filterValues;
            const r = await ask("recommend", q);
            const found = r.items[0];
            fill(out, filtered && !filtered.items.length
                ? note("warn", "The filter takes it out.") : null,
            r.unknown && !(found && found.because) ? note("warn", "The model does not know " + id + ".")
                : null,
            found && found.because ? [h("p", null, h("b", null, found.title || id)),
                contributions(found)] : null,
            commands("The same on the command line", line("pz-recommend", "-g", app.group.path, "-S",
                c.latest ? c.solution : c.solution + "/" + c.version, "--rank", id, "--explain",
                q.userId.startsWith("-") ? "--" : null, q.userId)));
        } catch (err) {
            fill(out, failed(err));
        }
    }
    return [h("form", { on: { submit: run } }, h("div", { class: "fields" },
        field("Why, or why not, this one?", item.input, "grow"), item.list,
        h("button", { type: "submit" }, "Explain"))), out];
}

// ---- the view ----

export function recommend(root, app) {
    const g = app.group;
    const able = g.campaigns.filter((c) => !c.why);
    if (!able.length) {
        add(root, h("h1", null, "Recommend"),
            note("", "There is no model to ask yet. This line makes one, and so does the view Models:"),
            commands("On the command line",
                line("pz-train", "-g", g.path, "-r", "aws-user-personalization", "-S", "personal")));
        return null;
    }
    const m = app.memory.recommend ||= {};
    for (const [key, value] of app.address().values)
        m[key] = value;
    const names = able.map((c) => c.name);
    if (!names.includes(m.campaign))
        m.campaign = (able.find((c) => c.asks === "user") || able[0]).name;
    const pick = select({ id: "campaign" }, able.map((c) => [c.name, c.name + " (" +
        (c.preset || c.recipe) + ")"]), m.campaign);
    const campaign = () => able.find((c) => c.name === pick.value);
    const set = () => ({ user: "users", nobody: "users", item: "items" })[campaign().asks];
    const who = finder(app, set, { id: "who", value: m.id || "" });
    const other = finder(app, () => "users", { id: "asker", value: m.asker || "" });
    const n = h("input", { id: "many", type: "number", min: 1, max: 500, value: m.n || 10 });
    const filter = select({ id: "filter" }, [["", "none"], ...g.filters.map((f) => [f.name, f.name])],
        m.filter || "");
    const promote = select({ id: "promote" }, [["", "nothing"],
        ...g.filters.map((f) => [f.name, f.name])], m.promote || "");
    const share = h("input", { id: "share", type: "number", min: 1, max: 100,
        value: m.share || 20 });
    const percent = field("Percent of them", share, "small");
    const values = h("div", { class: "fields" });
    const label = h("span");
    const box = h("div", { id: "answer" });
    box.said = h("h2", { id: "said", "aria-live": "polite" }); // read out; the list is not
    const beside = h("div", { id: "past" });
    const why = h("div");
    const did = h("div", { role: "status" });
    const form = event_form(app, app.memory);
    const putting = h("div", { class: "card", hidden: true }, h("h2", null, "Put an event"),
        h("p", { class: "hint" }, "The button beside an item stores that the user did this with " +
            "it, and asks again."),
        h("div", { class: "fields" }, form.controls), did);
    const lines = h("div");
    const both = h("div", { class: "aside alone" }, h("div", null, box.said, box, lines),
        h("div", null, beside, why, putting));
    let abort = null;

    // An input for each placeholder of the filters.
    function placeholders() {
        percent.hidden = !promote.value;
        fill(values, parameters(app, filter.value, promote.value).map((name) =>
            field("$" + name, h("input", { "data-name": name,
                value: (m.values || {})[name] || "", spellcheck: "false",
                placeholder: "10 or \"a\",\"b\"" }))));
    }

    async function question() {
        const q = { groupName: g.name, campaign: pick.value, numResults: Number(n.value) || 10 };
        const id = campaign().asks === "attributes" ? who.input.value.trim() : await who.id();
        if (about_item(campaign())) {
            q.itemId = id;
            if (other.input.value.trim())
                q.userId = other.input.value.trim();
        } else if (id) {
            q.userId = id;
        }
        if (filter.value)
            q.filter = filter.value;
        if (promote.value)
            q.promotion = { filter: promote.value, percent: Number(share.value) || 20 };
        if (filter.value || promote.value)
            q.filterValues = Object.fromEntries([...values.querySelectorAll("input")]
                .filter((i) => i.value).map((i) => [i.dataset.name, i.value]));
        return q;
    }

    function adapt() {
        const c = campaign();
        label.textContent = words[c.asks][0];
        who.input.placeholder = words[c.asks][1];
        other.input.closest("label").hidden = !about_item(c);
    }

    async function put(user, item, button) {
        button.disabled = true;
        try {
            await form.put(user, item.id);
            fill(did, note("good", form.type.value + " of " + (item.title || item.id) + " stored."));
            await run([...box.querySelectorAll(".list > li")].map((e) => e.dataset.id));
        } catch (e) {
            fill(did, failed(e));
            did.scrollIntoView({ block: "nearest" });
        }
        button.disabled = false;
    }

    function show_beside(c, q) {
        const user = q.userId;
        putting.hidden = !user || c.answers !== "items";
        both.classList.toggle("alone", !user);
        fill(why, c.explains && c.answers === "items" && !about_item(c)
            ? ask_why(app, c, question) : null);
        if (!user) {
            fill(beside);
            return;
        }
        ask("history", { groupName: g.name, userId: user }, abort.signal)
            .then((r) => past(beside, user, r)).catch((e) => {
                if (e.name !== "AbortError")
                    fill(beside, failed(e));
            });
    }

    // before: the list that an event was put to.
    async function run(before) {
        const c = campaign();
        if (abort)
            abort.abort();
        abort = new AbortController();
        const { signal } = abort;
        box.setAttribute("aria-busy", "true");
        try {
            const q = await question();
            const d = g.datasets.find((x) => x.dataset === c.answers) || { fields: [] };
            Object.assign(m, { campaign: pick.value, id: who.input.value, asker: other.input.value,
                n: n.value, filter: filter.value, promote: promote.value, share: share.value,
                values: q.filterValues });
            if (c.asks !== "nobody" && !(about_item(c) ? q.itemId : q.userId)) {
                fill(box.said);
                fill(box);
                fill(lines);
                fill(beside);
                fill(why);
                putting.hidden = true;
                both.classList.add("alone");
                who.input.focus();
                return;
            }
            const r = await ask("recommend", q, signal);
            const { titles } = c.asks === "item"
                ? await ask("titles", { groupName: g.name, ids: [q.itemId] }, signal) : { titles: {} };
            const action = q.userId && c.answers === "items" ? (item) =>
                h("button", { type: "button", class: "small put", title: "Put an event",
                    on: { click: (e) => put(q.userId, item, e.target) } },
                form.type.value + " it") : null;
            results(box, c, d, q, r, titles, action, before);
            fill(lines, commands("The same on the command line", shell(app, c, d, q),
                cloud(app, c, q)));
            show_beside(c, q);
        } catch (e) {
            if (e.name === "AbortError")
                return;
            fill(box.said);
            fill(box, failed(e));
            fill(lines);
        } finally {
            if (!signal.aborted)
                box.removeAttribute("aria-busy");
        }
    }

    pick.addEventListener("change", () => {
        const before = label.textContent;
        adapt();
        if (label.textContent !== before)
            who.input.value = "";
        run();
    });
    const changed = () => {
        placeholders();
        const blank = [...values.querySelectorAll("input")].find((i) => !i.value);
        if (blank)
            blank.focus();
        else
            run();
    };
    filter.addEventListener("change", changed);
    promote.addEventListener("change", changed);
    form.type.addEventListener("change", () => box.querySelectorAll(".put").forEach((b) => {
        b.textContent = form.type.value + " it";
    }));
    add(root, h("h1", null, "Recommend"),
        h("form", { id: "ask", on: { submit: (e) => { e.preventDefault(); run(); } } },
            h("div", { class: "fields" },
                field("Campaign", pick, "grow"),
                h("label", { class: "field grow" }, label, who.input), who.list,
                field("Asked by user", other.input), other.list,
                field("How many", n, "small"),
                field("Filter", filter),
                g.filters.length ? [field("Promote what passes", promote),
                    percent] : null,
                h("button", { class: "main", type: "submit" }, "Recommend")),
            values),
        both);
    placeholders();
    adapt();
    if (m.id || campaign().asks === "nobody")
        run();
    else
        who.input.focus();
    return () => { if (abort) abort.abort(); };
}
