// An editor for filters that says at once whether an expression is right and how many pass.
import { h, add, fill, ask, aws, arn, commands, confirmed, field, finder, rule, note, failed, count,
    plural, line, later } from "./ui.js";

const example = (g) => {
    const d = g.datasets.find((x) => x.dataset === "items");
    const f = d && d.fields.find((x) => x.categorical);
    return f ? `INCLUDE ItemID WHERE Items.${f.name} IN ($VALUES)`
        : "EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (\"Purchase\")";
};

// What can be named in an expression; a click writes it where the caret is.
function vocabulary(g, write) {
    const place = { interactions: "Interactions", items: "Items", users: "CurrentUser",
        actions: "Actions", "action-interactions": "Action_Interactions" };
    const names = g.datasets.flatMap((d) => d.fields
        .filter((f) => !/^(USER|ITEM|ACTION)_ID$/.test(f.name))
        .map((f) => place[d.dataset] + "." + f.name));
    return h("details", { class: "words" }, h("summary", { class: "hint" }, "Columns and words"),
        h("p", null, ["INCLUDE ItemID WHERE ", "EXCLUDE ItemID WHERE ", "IN (\"\")", " AND ", " OR ",
            " IF ", "IS NOT NULL", ...names].map((w) =>
            h("button", { type: "button", class: "small", on: { click: () => write(w) } }, w.trim()))));
}

function excerpt(text, r) {
    if (!r.line)
        return null;
    const source = text.split("\n")[r.line - 1] || "";
    // Columns count bytes.
    const before = new TextDecoder().decode(new TextEncoder().encode(source).slice(0, r.column - 1));
    return h("pre", { class: "excerpt" }, source + "\n" + " ".repeat([...before].length) + "^");
}

function verdict(text, r) {
    if (!r.valid)
        return [note("bad", r.line ? `Line ${r.line}, column ${r.column}: ${r.message}` : r.message,
            excerpt(text, r))];
    const kind = { ItemID: "item", UserID: "user", ActionID: "action" }[r.subject] || "item";
    return [
        r.kept === undefined
            ? note("", "The expression is right. " + (r.noCounts || ""))
            : h("div", { class: "meter" }, h("strong", { id: "kept" },
                `${count(r.kept)} of ${plural(r.of, kind)} pass`), rule(r.kept / Math.max(r.of, 1))),
        r.kept ? h("p", { class: "hint" }, "For instance: " + r.sample.join(", ") +
            (r.kept > r.sample.length ? "\u2026" : "")) : null,
        r.needsUser ? h("p", { class: "hint" }, "It looks at the user who asks.") : null,
        r.why ? note(r.passes ? "good" : "warn", r.why) : null,
        r.warnings.map((w) => note("warn", w)),
        r.compiled ? h("details", null, h("summary", { class: "hint" }, "Compiled form"),
            h("pre", { class: "compiled" }, r.compiled)) : null,
    ];
}

export function filters(root, app) {
    const g = app.group;
    const m = app.memory.filters ||= { text: app.address().values.get("text") || "", values: {} };
    const text = h("textarea", { id: "expression", rows: 4, spellcheck: "false",
        autocapitalize: "off", "aria-describedby": "verdict", placeholder: example(g) });
    text.value = m.text;
    const as = finder(app, () => "users", { id: "as", value: m.user || "" });
    const item = finder(app, () => "items", { id: "tried", value: m.item || "" });
    const user = as.input;
    const values = h("div", { class: "fields" });
    const box = h("div", { id: "verdict", "aria-live": "polite" });
    const lines = h("div");
    const name = h("input", { id: "name", autocomplete: "off", spellcheck: "false",
        autocapitalize: "off", pattern: "[A-Za-z0-9][A-Za-z0-9_\\-]*", maxlength: 63, required: true });
    const save = h("button", { type: "submit", disabled: true }, "Save");
    const saved = h("div", { role: "status" });
    let turn = 0;

    function given() {
        return Object.fromEntries([...values.querySelectorAll("input")].filter((i) => i.value)
            .map((i) => [i.dataset.name, i.value]));
    }

    function placeholders(names) {
        const have = [...values.querySelectorAll("input")].map((i) => i.dataset.name);
        if (have.join() === names.join())
            return;
        fill(values, names.map((p) => field("$" + p, h("input", { "data-name": p,
            value: m.values[p] || "", spellcheck: "false", placeholder: "10 or \"a\",\"b\"",
            on: { input: soon } }))));
    }

    async function check() {
        const mine = ++turn;
        Object.assign(m, { text: text.value, user: user.value, item: item.input.value });
        Object.assign(m.values, given());
        save.disabled = true;
        if (!text.value.trim()) {
            text.removeAttribute("aria-invalid");
            placeholders([]);
            fill(box, h("p", { class: "hint" },
                "Type an expression: it is checked while you type. For instance "),
                h("p", null, h("button", { type: "button", class: "small", on: { click: () => {
                    text.value = example(g);
                    check();
                } } }, h("code", null, example(g)))));
            fill(lines);
            return;
        }
        const q = { groupName: g.name, expression: text.value, filterValues: given() };
        if (user.value.trim())
            q.userId = user.value.trim();
        if (item.input.value.trim())
            q.candidateId = item.input.value.trim();
        try {
            const r = await ask("check", q);
            if (mine !== turn)
                return;
            text.setAttribute("aria-invalid", String(!r.valid));
            save.disabled = !r.valid;
            if (r.valid)
                placeholders([...new Set(r.parameters)]);
            fill(box, verdict(text.value, r));
            const set = Object.entries(q.filterValues).map(([k, v]) => ["-V", k + "=" + v]);
            fill(lines, commands("The same on the command line",
                line("pz-filter", "-g", g.path, "--check", "--explain", set,
                    q.userId ? ["--user", q.userId] : null, text.value),
                line("pz-filter", "-g", g.path, "--save", name.value || "NAME", text.value)));
        } catch (e) {
            if (mine === turn)
                fill(box, failed(e));
        }
    }
    const soon = later(check, 150);

    function write(word) {
        text.setRangeText(word, text.selectionStart, text.selectionEnd, "end");
        text.focus();
        check();
    }

    async function store(e) {
        e.preventDefault();
        try {
            await aws("CreateFilter", { name: name.value, filterExpression: text.value,
                datasetGroupArn: arn(app, "dataset-group", g.name) });
            await app.refresh();
            document.getElementById("stored").focus();
        } catch (err) {
            fill(saved, failed(err));
        }
    }

    async function drop(f) {
        try {
            await aws("DeleteFilter", { filterArn: arn(app, "filter", f.name) });
            await app.refresh();
        } catch (err) {
            fill(saved, failed(err));
        }
    }

    const stored = (f) => h("div", { class: "stored" },
        h("div", { class: "row" },
            h("button", { type: "button", class: "small", on: { click: () => {
                text.value = f.expression;
                name.value = "";
                check();
                text.focus();
            } } }, f.name),
            h("button", { type: "button", class: "small plain", "aria-label": "Delete " + f.name,
                on: { click: (e) => confirmed(e.target, () => drop(f)) } }, "Delete")),
        h("p", { class: "hint" }, h("code", null, f.expression)));

    text.addEventListener("input", soon);
    user.addEventListener("input", soon);
    item.input.addEventListener("input", soon);
    name.addEventListener("input", soon);
    add(root, h("h1", null, "Filters"),
        h("div", { class: "aside" },
            h("div", null,
                field("Expression", text), vocabulary(g, write),
                h("div", { class: "fields" }, field("As user", user), as.list,
                    field("What becomes of the item", item.input), item.list, values), box,
                h("form", { on: { submit: store } }, h("div", { class: "fields" },
                    field("Save under the name", name, "grow"), save), saved),
                lines),
            h("section", { class: "card" },
                h("h3", { id: "stored", tabindex: "-1" }, "Stored filters"),
                g.filters.length ? g.filters.map(stored)
                    : h("p", { class: "quiet" }, "None yet."))));
    check();
    return () => { turn++; };
}
