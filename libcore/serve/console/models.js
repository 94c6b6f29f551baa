// Versions with their metrics beside each other, and the campaigns that answer from them.
import { h, add, fill, commands, table, rule, note, number, bytes, time, stamp, line } from "./ui.js";

const SHOWN = 8; // versions that are compared at first
const labels = {
    coverage: "Coverage", mean_reciprocal_rank: "MRR", precision: "Precision",
    normalized_discounted_cumulative_gain: "NDCG", average_rewards_at: "Average rewards",
};

function label(metric) {
    const m = /^(.*?)(?:_at_(\d+))?$/.exec(metric);
    return (labels[m[1]] || m[1].replaceAll("_", " ")) + (m[2] ? "@" + m[2] : "");
}

const key = (v) => v.solution + "/" + v.version;
const made_by = (v) => v.preset || v.recipe || "";

function compare(list) {
    const at = (m) => Number((/_at_(\d+)$/.exec(m) || [0, 0])[1]);
    const name = (m) => m.replace(/_at_\d+$/, "");
    const metrics = [...new Set(list.flatMap((v) => Object.keys(v.metrics || {})))]
        .sort((a, b) => name(b).localeCompare(name(a)) || at(a) - at(b));
    if (!metrics.length)
        return note("", "These versions were trained without metrics (pz-train --no-eval).");
    return h("div", { class: "columns" }, metrics.map((m) => {
        const with_it = list.filter((v) => typeof (v.metrics || {})[m] === "number");
        const most = Math.max(...with_it.map((v) => v.metrics[m]), 1e-12);
        return h("section", { class: "card" }, h("h3", null, label(m)),
            h("div", { class: "bars" }, with_it.map((v) => [
                h("span", { title: key(v) }, v.solution, " ",
                    h("small", null, stamp(v.version).slice(0, 16))),
                rule(v.metrics[m] / most),
                h("span", null, number(v.metrics[m])),
            ])));
    }));
}

// Parameters in which the versions differ.
function differences(list) {
    const names = [...new Set(list.flatMap((v) => Object.keys(v.params || {})))];
    const differ = names.filter((n) =>
        new Set(list.map((v) => JSON.stringify((v.params || {})[n]))).size > 1);
    if (list.length < 2 || !differ.length)
        return null;
    return h("details", null, h("summary", null, "Hyperparameters in which they differ"),
        table("Hyperparameters", [
            { name: "Name", cell: (n) => h("code", null, n) },
            ...list.map((v) => ({
                name: v.solution + " " + stamp(v.version).slice(0, 16),
                num: true,
                cell: (n) => v.params && v.params[n] !== undefined ? String(v.params[n]) : "\u2013",
            })),
        ], differ));
}

function campaigns(g) {
    if (!g.campaigns.length)
        return note("", "Nothing answers yet: there is no model.");
    return table("What answers", [
        { name: "Campaign", cell: (c) => c.name },
        { name: "Solution", cell: (c) => c.solution },
        { name: "Version", cell: (c) => c.version ? stamp(c.version) : "" },
        { name: "Goes with", cell: (c) => c.latest ? "the latest version" : "this version" },
        { name: "Recipe", cell: (c) => c.preset || c.recipe || "" },
        { name: "State", cell: (c) => c.why ? h("span", { class: "tag bad", title: c.why }, c.why)
            : h("span", { class: "tag good" }, c.made ? "campaign" : "answers under its own name") },
    ], g.campaigns);
}

export function models(root, app) {
    const g = app.group;
    const list = g.versions.filter((v) => !v.error);
    const chosen = new Set(list.slice().sort((a, b) => b.version.localeCompare(a.version))
        .slice(0, SHOWN).map(key));
    const charts = h("div", { "aria-live": "polite" });
    const draw = () => {
        const some = list.filter((v) => chosen.has(key(v)));
        fill(charts, some.length ? [compare(some), differences(some)]
            : note("", "Choose versions in the table."));
    };
    add(root, h("h1", null, "Models"));
    add(root, h("h2", null, "Campaigns"), campaigns(g));
    if (g.versions.length) {
        draw();
        add(root, h("h2", null, "Versions beside each other"), charts,
            h("h2", null, "All versions"),
            table("Versions", [
                { name: "Compare", cell: (v) => v.error ? "" : h("input", {
                    type: "checkbox", checked: chosen.has(key(v)), class: "pickone",
                    "aria-label": "Compare " + key(v),
                    on: { change: (e) => {
                        chosen[e.target.checked ? "add" : "delete"](key(v));
                        draw();
                    } } }) },
                { name: "Solution", cell: (v) => v.solution },
                { name: "Version", cell: (v) => stamp(v.version) },
                { name: "Recipe", cell: (v) => v.error
                    ? h("span", { class: "tag bad" }, v.error) : made_by(v) },
                { name: "Users", num: true, cell: (v) => number(v.users) },
                { name: "Items", num: true, cell: (v) => number(v.items) },
                { name: "Size", num: true, cell: (v) => v.bytes ? bytes(v.bytes) : "" },
                { name: "Trained", cell: (v) => time(v.trained) },
                { name: "Seconds", num: true, cell: (v) => number(v.seconds) },
            ], g.versions));
    }
    const solution = list.length ? list[0].solution : "personal";
    add(root, commands("On the command line",
        line("pz-train", "--list-recipes"),
        line("pz-train", "-g", g.path, "-r", "aws-user-personalization", "-S", "personal"),
        list.length ? line("pz-train", "-g", g.path, "-r", list[0].recipe, "-S", solution) : null,
        line("pz-eval", "-g", g.path, "-r",
            [...new Set(["pz-popularity", ...list.map((v) => v.recipe)])].slice(0, 4).join(","))));
}
