// What all views of the console are made with. Text of users becomes text nodes, never
// markup: nothing here or elsewhere parses HTML.

// h("a", {class: "x", href: "#", on: {click: f}}, "text", node, [more], null)
export function h(tag, props, ...kids) {
    const svg = ["svg", "line", "rect", "g"].includes(tag);
    const e = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag)
        : document.createElement(tag);
    for (const [key, value] of Object.entries(props || {})) {
        if (key === "on")
            for (const [name, fn] of Object.entries(value))
                e.addEventListener(name, fn);
        else if (key === "width" && !svg)
            e.style.width = value;
        else if (value === true)
            e.setAttribute(key, "");
        else if (value !== false && value !== null && value !== undefined)
            e.setAttribute(key, value);
    }
    add(e, kids);
    return e;
}

export function add(e, ...kids) {
    for (const kid of kids.flat(Infinity))
        if (kid !== null && kid !== undefined && kid !== false)
            e.append(kid instanceof Node ? kid : String(kid));
}

export function fill(e, ...kids) {
    e.replaceChildren();
    add(e, kids);
}

// ---- the server ----

export class Failure extends Error {
    constructor(name, message, status) {
        super(message);
        this.name = name;
        this.status = status;
    }
}

const watchers = new Set();
export const onState = (fn) => watchers.add(fn);

// What a busy server has not looked at is sent again, as clients of AWS do.
const TRIES = 4;

async function send(path, body, headers, signal) {
    let answer, text;
    try {
        for (let n = 1; ; n++) {
            answer = await fetch(path,
                { method: "POST", headers, body: JSON.stringify(body), signal });
            text = await answer.text();
            if (answer.status !== 503 || n === TRIES)
                break;
            await new Promise((done) => setTimeout(done, 250 * 2 ** n));
        }
    } catch (e) {
        if (e.name === "AbortError")
            throw e;
        watchers.forEach((fn) => fn(false));
        throw new Failure("Unreachable", "The server does not answer.", 0);
    }
    watchers.forEach((fn) => fn(true));
    let value = {};
    try {
        value = text ? JSON.parse(text) : {};
    } catch {
        throw new Failure("Unreadable", "The answer is no JSON.", answer.status);
    }
    if (!answer.ok)
        throw new Failure(answer.headers.get("x-amzn-ErrorType") || String(answer.status),
            value.message || "The request failed.", answer.status);
    return value;
}

// A question of the console's own, and an operation of AWS's APIs.
export const ask = (what, body, signal) =>
    send("/console/" + what, body, { "Content-Type": "application/json" }, signal);
export const aws = (operation, body) =>
    send("/", body, {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "AmazonPersonalize." + operation,
    });
export const put_events = (body) =>
    send("/events", body, { "Content-Type": "application/json" });

// ---- texts ----

const whole = new Intl.NumberFormat("en");
export const count = (n) => whole.format(n);
export const number = (x, digits = 4) =>
    x === null || x === undefined ? "" : Number.isInteger(x) ? count(x)
        : Number(x.toPrecision(digits)).toLocaleString("en", { maximumFractionDigits: 10 });
export const percent = (x) => (x < 10 && x > 0 ? x.toFixed(1) : Math.round(x)) + "\u202f%";
export const plural = (n, one, many = one + "s") => count(n) + " " + (n === 1 ? one : many);
export function bytes(n) {
    const units = ["bytes", "KB", "MB", "GB", "TB"];
    let i = 0;
    for (; n >= 1000 && i < 4; i++)
        n /= 1024;
    return (i ? n.toFixed(n < 10 ? 1 : 0) : n) + " " + units[i];
}
export const day = (iso) => (iso || "").slice(0, 10);
export const time = (iso) => (iso || "").replace("T", " ").replace("Z", "");
// "20250101T000000Z" of a version.
export const stamp = (v) =>
    /^\d{8}T\d{6}Z/.test(v) ? v.replace(/^(....)(..)(..)T(..)(..)(..)Z/, "$1-$2-$3 $4:$5:$6") : v;

// NUM_RATINGS as AWS writes a column in JSON: numRatings.
export const camel = (name) => name.toLowerCase().replace(/_+(.)/g, (_, c) => c.toUpperCase());
export const arn = (app, kind, name) =>
    `arn:aws:personalize:${app.server.region}:${app.server.account}:${kind}/${name}`;

// A word for sh.
export const quote = (s) =>
    /^[A-Za-z0-9_./:=@%+,-]+$/.test(s) ? s : "'" + s.replaceAll("'", "'\\''") + "'";
export const line = (...words) =>
    words.flat(Infinity).filter((w) => w !== null && w !== false && w !== undefined)
        .map((w) => quote(String(w))).join(" ");

// ---- parts ----

// A command with a button that copies it.
export function command(text) {
    // Words stay whole where the line is wrapped.
    const code = h("code", null, text.split(/(?<=\s)/).map((word) => h("span", null, word)));
    const button = h("button", { class: "small", type: "button", "aria-label": "Copy the command" },
        "Copy");
    button.addEventListener("click", async () => {
        try {
            await navigator.clipboard.writeText(text);
            button.textContent = "Copied";
        } catch {
            getSelection().selectAllChildren(code);
            button.textContent = "Selected";
        }
        setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    return h("div", { class: "cmd" }, h("pre", null, code), button);
}

export const commands = (title, ...texts) =>
    h("details", { class: "cmds", open: true }, h("summary", null, title),
        [...new Set(texts.flat().filter(Boolean))].map(command));

// columns: [{name, num, cell: (row) => node or text}]; the first cell heads its row.
export function table(caption, columns, rows, props) {
    return h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption },
        h("table", props,
            h("caption", { class: "unseen" }, caption),
            h("thead", null, h("tr", null, columns.map((c) =>
                h("th", { scope: "col", class: c.num ? "num" : null }, c.name)))),
            h("tbody", null, rows.map((row) => h("tr", null, columns.map((c, i) =>
                h(i ? "td" : "th", {
                    scope: i ? null : "row",
                    class: c.num ? "num" : c.chart ? "chart" : c.text ? "text" : null,
                }, c.cell(row))))))));
}

// A bar of a share from 0 to 1.
export const rule = (share, label, colour) =>
    h("span", { class: "rule" + (colour === undefined ? "" : " k" + colour % 8), role: label ? "img" : null, "aria-label": label,
        "aria-hidden": label ? null : "true" },
        h("i", { width: Math.max(0, Math.min(1, share || 0)) * 100 + "%" }));

// Rows of [name, value]: bars beside each other.
export function bars(rows, format = count) {
    const most = Math.max(...rows.map((r) => r[1]), 1e-12);
    return h("div", { class: "bars" }, rows.map(([name, value]) =>
        [h("span", null, name), rule(value / most), h("span", null, format(value))]));
}

// Counts by time, as columns beside each other.
export function columns_of(counts, label) {
    const most = Math.max(...counts, 1);
    return h("svg", { viewBox: `0 0 ${counts.length * 10} 100`, class: "time", role: "img",
        "aria-label": label, preserveAspectRatio: "none" },
        counts.map((n, i) => h("rect", { x: i * 10 + 1, width: 8, y: 100 - 100 * n / most,
            height: 100 * n / most }, )));
}

// What cannot be undone wants a second click.
export function confirmed(button, fn) {
    if (button.dataset.sure) {
        fn();
        return;
    }
    const text = button.textContent;
    button.dataset.sure = "yes";
    button.textContent = "Really?";
    setTimeout(() => {
        delete button.dataset.sure;
        button.textContent = text;
    }, 3000);
}

export const tile = (value, name) =>
    h("div", { class: "tile" }, h("b", null, value), h("span", null, name));

export const note = (kind, ...kids) =>
    h("p", { class: "note " + kind, role: kind === "bad" ? "alert" : null }, kids);

export const failed = (e) => note("bad", e instanceof Failure ? e.message : String(e));

export function field(label, control, size) {
    return h("label", { class: "field " + (size || "") }, h("span", null, label), control);
}

export const select = (props, options, value) =>
    h("select", props, options.map(([v, text]) =>
        h("option", { value: v, selected: v === value }, text)));

// An input for an id that offers what begins like what is typed, or has it in its title.
let lists = 0;
export function finder(app, set, props) {
    const list = h("datalist", { id: "found" + ++lists });
    const input = h("input", { autocomplete: "off", spellcheck: "false", autocapitalize: "off",
        list: list.id, ...props });
    let turn = 0;
    input.addEventListener("input", later(async () => {
        const mine = ++turn;
        const text = input.value.trim();
        if (!text || !set())
            return;
        try {
            const { found } = await ask("find", { groupName: app.group.name, dataset: set(), text });
            if (mine === turn)
                fill(list, found.map((f) => h("option", { value: f.id }, f.title || f.id)));
        } catch {
            fill(list); // it helps, no more
        }
    }, 120));
    // A title in place of an id: its id.
    async function id() {
        const text = input.value.trim();
        if (!text || !set())
            return text;
        const { found } = await ask("find", { groupName: app.group.name, dataset: set(), text });
        if (found.some((f) => f.id === text))
            return text;
        const named = found.filter((f) => (f.title || "").toLowerCase() === text.toLowerCase());
        const one = named.length ? named : found.length === 1 ? found : [];
        if (one.length)
            input.value = one[0].id;
        return input.value.trim();
    }
    return { input, list, id };
}

// Calls fn when nothing has happened for a while.
export function later(fn, ms = 200) {
    let timer;
    return () => {
        clearTimeout(timer);
        timer = setTimeout(fn, ms);
    };
}
