// A user or an item in, recommendations out: with titles, scores, reasons, and the lines
// that ask the same.
import { h, add, fill, ask, commands, field, select, rule, note, failed, number, plural, day, line } from "./ui.js";

const words = {
    user: ["User", "Type a user id"],
    item: ["Item", "Type an item id or a title"],
    attributes: ["Attributes", "ITEMS.GENRES = \"Comedy\""],
    nobody: ["User (not needed)", ""],
};

// The line of pz-recommend that asks the same.
export function shell(app, c, q) {
    const item = c.asks === "item" || c.asks === "attributes";
    const title = (app.group.datasets.find((d) => d.dataset === c.answers) || {}).title;
    const values = Object.entries(q.filterValues || {}).map(([k, v]) => ["-V", k + "=" + v]);
    const id = item ? q.itemId : q.userId || "nobody";
    return line("pz-recommend", "-g", app.group.path,
        "-S", c.latest ? c.solution : c.solution + "/" + c.version, "-n", q.numResults,
        q.filter ? ["-F", q.filter, values] : null,
        item && q.userId ? ["--user", q.userId] : null,
        title ? ["--metadata", title] : null, c.explains ? "--explain" : null,
        id.startsWith("-") ? "--" : null, id);
}

function cloud(app, c, q) {
    const arn = (kind, name) => `arn:aws:personalize:${app.server.region}:${app.server.account}:` +
        kind + "/" + name;
    const stored = app.group.filters.some((f) => f.name === q.filter);
    if (c.answers === "users" || (q.filter && !stored))
        return null;
    const action = c.answers === "actions";
    const values = Object.entries(q.filterValues || {}).map(([k, v]) => `${k}=${JSON.stringify(v)}`);
    return line("aws", "--endpoint-url", location.origin, "personalize-runtime",
        action ? "get-action-recommendations" : "get-recommendations",
        "--campaign-arn", arn("campaign", c.name),
        c.asks === "item" ? ["--item-id", q.itemId] : null,
        q.userId ? ["--user-id", q.userId] : null, "--num-results", q.numResults,
        q.filter ? ["--filter-arn", arn("filter", q.filter),
            values.length ? ["--filter-values", values.join(",")] : null] : null);
}

// The other columns: short ones beside each other, texts below.
function columns(item, d) {
    const of = (name) => d.fields.find((f) => f.name === name) || {};
    const rest = Object.entries(item.columns).filter(([name, v]) => name !== d.title && v !== "");
    const long = ([name, v]) => of(name).textual || v.length > 60;
    const shown = ([name, v]) => name === "CREATION_TIMESTAMP" && /^\d+$/.test(v)
        ? day(new Date(v * 1000).toISOString()) : v.replaceAll("|", ", ");
    return [
        h("div", null, rest.filter((c) => !long(c)).slice(0, 6).map((c) =>
            h("span", { class: "chip", title: c[0] },
                of(c[0]).categorical ? null : h("span", null, c[0].toLowerCase() + " "), shown(c)))),
        rest.filter(long).slice(0, 1).map((c) => h("div", { class: "text", title: c[0] }, c[1])),
    ];
}

// Contributions as bars to the right of the middle, or to its left where they are negative.
function reasons(item) {
    const most = Math.max(...item.because.map((r) => Math.abs(r.contribution)), 1e-12);
    const bar = (x) => {
        const share = Math.min(1, Math.abs(x) / most) * 100 + "%";
        return h("span", { class: "both", "aria-hidden": "true" },
            h("i", { class: x < 0 ? "less" : "", width: share }));
    };
    const row = (name, x) => [h("span", null, name), bar(x),
        h("span", { class: "num" }, number(x, 3))];
    return h("details", null, h("summary", null, "Why"),
        h("div", { class: "why" },
            item.because.map((r) => row(r.title
                ? [r.title, " ", h("span", { class: "id" }, r.itemId)]
                : h("span", { class: "id" }, r.itemId), r.contribution)),
            item.others ? row(plural(item.others, "other"), item.othersContribution) : null,
            h("span", { class: "sum" }, "Together"), h("span"),
            h("span", { class: "num sum" }, number(item.rawScore, 4))));
}

function entry(item, most, d, put) {
    return h("li", { "data-id": item.id },
        h("div", null,
            h("div", null, h("span", { class: "name" }, item.title || item.id), " ",
                item.title ? h("span", { class: "id" }, item.id) : null),
            columns(item, d)),
        h("div", { class: "score" }, item.score === undefined ? "" : number(item.score),
            item.score > 0 ? rule(item.score / most) : null),
        item.because ? reasons(item) : null, put ? put(item) : null);
}

function results(box, c, d, q, r) {
    const most = Math.max(...r.items.map((i) => i.score || 0), 1e-12);
    const who = c.asks === "item" || c.asks === "attributes" ? q.itemId : q.userId;
    const said = plural(r.items.length, c.answers.slice(0, -1)) + (who ? " for " + who : "") +
        " in " + (r.seconds * 1000).toFixed(r.seconds < 0.01 ? 1 : 0) + "\u202fms";
    fill(box, h("h2", { id: "said" }, said),
        r.fallback ? note("warn", "Nothing is known of " + (who || "nobody") +
            ": these are the popular ones.") : null,
        !r.explains && r.items.length ? h("p", { class: "hint" },
            "This recipe cannot tell reasons.") : null,
        r.items.length ? h("ol", { class: "list" }, r.items.map((i) => entry(i, most, d)))
            : note("", "No item passes the filter."));
}

export function recommend(root, app) {
    const g = app.group;
    const able = g.campaigns.filter((c) => !c.why);
    const said = app.address().values;
    if (!able.length) {
        add(root, h("h1", null, "Recommend"),
            note("", "There is no model to ask yet. This line makes one:"),
            commands("On the command line",
                line("pz-train", "-g", g.path, "-r", "aws-user-personalization", "-S", "personal")));
        return null;
    }
    const m = app.memory.recommend ||= {};
    for (const [key, value] of said)
        m[key] = value;
    const names = able.map((c) => c.name);
    if (!names.includes(m.campaign))
        m.campaign = names.includes("personal") ? "personal" : names[0];
    const pick = select({ id: "campaign" }, able.map((c) => [c.name, c.name + " (" +
        (c.preset || c.recipe) + ")"]), m.campaign);
    const id = h("input", { id: "who", autocomplete: "off", spellcheck: "false",
        autocapitalize: "off", list: "found", value: m.id || "" });
    const other = h("input", { id: "asker", autocomplete: "off", spellcheck: "false",
        autocapitalize: "off", value: m.asker || "" });
    const n = h("input", { id: "many", type: "number", min: 1, max: 500, value: m.n || 10 });
    const filter = select({ id: "filter" }, [["", "none"], ...g.filters.map((f) => [f.name, f.name])],
        m.filter || "");
    const values = h("div", { class: "fields" });
    const label = h("span");
    const box = h("div", { id: "answer", "aria-live": "polite" });
    const lines = h("div");
    let abort = null;

    const campaign = () => able.find((c) => c.name === pick.value);
    const about_item = () => ["item", "attributes"].includes(campaign().asks);

    // An input for each placeholder of the filter.
    function placeholders() {
        const f = g.filters.find((x) => x.name === filter.value);
        const names_of = [...new Set([...(f ? f.expression : "").matchAll(/\$([A-Za-z0-9_]+)/g)]
            .map((x) => x[1]))];
        fill(values, names_of.map((name) => field("$" + name, h("input", {
            "data-name": name, value: (m.values || {})[name] || "", spellcheck: "false",
            placeholder: "10 or \"a\",\"b\"" }))));
    }

    function question() {
        const q = { groupName: g.name, campaign: pick.value, numResults: Number(n.value) || 10 };
        if (about_item()) {
            q.itemId = id.value.trim();
            if (other.value.trim())
                q.userId = other.value.trim();
        } else if (id.value.trim()) {
            q.userId = id.value.trim();
        }
        if (filter.value) {
            q.filter = filter.value;
            q.filterValues = Object.fromEntries([...values.querySelectorAll("input")]
                .filter((i) => i.value).map((i) => [i.dataset.name, i.value]));
        }
        return q;
    }

    function adapt() {
        const c = campaign();
        label.textContent = words[c.asks][0];
        id.placeholder = words[c.asks][1];
        other.closest("label").hidden = !about_item();
    }

    async function run() {
        const c = campaign();
        const q = question();
        Object.assign(m, { campaign: pick.value, id: id.value, asker: other.value, n: n.value,
            filter: filter.value, values: q.filterValues });
        if (c.asks !== "nobody" && !(about_item() ? q.itemId : q.userId)) {
            fill(box);
            fill(lines);
            id.focus();
            return;
        }
        if (abort)
            abort.abort();
        abort = new AbortController();
        box.setAttribute("aria-busy", "true");
        try {
            const r = await ask("recommend", q, abort.signal);
            const d = g.datasets.find((x) => x.dataset === c.answers) || { fields: [] };
            results(box, c, d, q, r);
            fill(lines, commands("The same on the command line", shell(app, c, q), cloud(app, c, q)));
        } catch (e) {
            if (e.name === "AbortError")
                return;
            fill(box, failed(e));
            fill(lines);
        }
        box.removeAttribute("aria-busy");
    }

    pick.addEventListener("change", () => { adapt(); run(); });
    filter.addEventListener("change", () => {
        placeholders();
        const blank = [...values.querySelectorAll("input")].find((i) => !i.value);
        if (blank)
            blank.focus();
        else
            run();
    });
    const form = h("form", { id: "ask", on: { submit: (e) => { e.preventDefault(); run(); } } },
        h("div", { class: "fields" },
            field("Campaign", pick, "grow"),
            h("label", { class: "field grow" }, label, id),
            field("Asked by user", other),
            field("How many", n, "small"),
            field("Filter", filter),
            h("button", { class: "main", type: "submit" }, "Recommend")),
        values);
    add(root, h("h1", null, "Recommend"), form, box, lines);
    placeholders();
    adapt();
    if (m.id || campaign().asks === "nobody")
        run();
    else
        id.focus();
    return () => { if (abort) abort.abort(); };
}
