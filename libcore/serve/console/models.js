// Versions with their metrics beside each other, training, and the campaigns that answer.
import { h, add, fill, aws, arn, commands, confirmed, field, select, table, rule, note, failed, number,
    bytes, time, stamp, line } from "./ui.js";

const SHOWN = 8; // versions that are compared at first
const labels = { // in the order in which they are shown; others come behind
    normalized_discounted_cumulative_gain: "NDCG", precision: "Precision",
    mean_reciprocal_rank: "MRR", coverage: "Coverage",
};
const running = new Map(); // ARN of a version in training -> what to say of it

function label(metric) {
    const m = /^(.*?)(?:_at_(\d+))?$/.exec(metric);
    const text = labels[m[1]] || m[1][0].toUpperCase() + m[1].slice(1).replaceAll("_", " ");
    return text + (m[2] ? "@" + m[2] : "");
}

const key = (v) => v.solution + "/" + v.version;
const made_by = (v) => v.preset || v.recipe || "";

function compare(list) {
    const at = (m) => Number((/_at_(\d+)$/.exec(m) || [0, 0])[1]);
    const name = (m) => m.replace(/_at_\d+$/, "");
    const place = (m) => (Object.keys(labels).indexOf(name(m)) + 100) % 100;
    const metrics = [...new Set(list.flatMap((v) => Object.keys(v.metrics || {})))]
        .sort((a, b) => place(a) - place(b) || name(a).localeCompare(name(b)) || at(a) - at(b));
    if (!metrics.length)
        return note("", "These versions were trained without metrics (pz-train --no-eval).");
    const solutions = [...new Set(list.map((v) => v.solution))]; // each has a colour
    return h("div", { class: "columns" }, metrics.map((m) => {
        const with_it = list.filter((v) => typeof (v.metrics || {})[m] === "number");
        const most = Math.max(...with_it.map((v) => v.metrics[m]), 1e-12);
        return h("section", { class: "card" }, h("h3", null, label(m)),
            h("div", { class: "bars" }, with_it.map((v) => [
                h("span", { title: key(v) }, v.solution, " ",
                    h("small", null, stamp(v.version).slice(0, 16))),
                rule(v.metrics[m] / most, null, solutions.indexOf(v.solution)),
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

// ---- campaigns ----

// recommenders: names of the campaigns that are recommenders of a domain.
function campaigns(app, said, recommenders) {
    const g = app.group;
    const kind = (c) => recommenders.has(c.name) ? "recommender"
        : c.made ? "campaign" : "solution, as it is";
    async function drop(c) {
        try {
            if (kind(c) === "recommender")
                await aws("DeleteRecommender", { recommenderArn: arn(app, "recommender", c.name) });
            else
                await aws("DeleteCampaign", { campaignArn: arn(app, "campaign", c.name) });
            await app.refresh();
        } catch (e) {
            fill(said, failed(e));
        }
    }
    return table("What answers", [
        { name: "Campaign", cell: (c) => c.name },
        { name: "Solution", cell: (c) => c.solution },
        { name: "Version", cell: (c) => c.version ? stamp(c.version) : "" },
        { name: "Goes with", cell: (c) => c.latest ? "the latest version" : "this version" },
        { name: "Recipe", cell: (c) => c.preset || c.recipe || "" },
        { name: "State", cell: (c) => c.why ? h("span", { class: "tag bad", title: c.why }, c.why)
            : h("span", { class: "tag good" }, kind(c)) },
        { name: "", cell: (c) => c.made ? h("button", { type: "button", class: "small plain",
            "aria-label": "Delete " + kind(c) + " " + c.name,
            on: { click: (e) => confirmed(e.target, () => drop(c)) } }, "Delete") : "" },
    ], g.campaigns.slice().sort((a, b) => b.made - a.made || a.name.localeCompare(b.name)));
}

// A campaign is made, or one that is there goes to another version.
function serve(app, list, said) {
    const g = app.group;
    const solutions = [...new Set(list.map((v) => v.solution))];
    const which = select({ id: "serve" }, [
        ...solutions.map((s) => [s + "/$LATEST", s + ", always the latest"]),
        ...list.map((v) => [key(v), v.solution + ", " + stamp(v.version)])]);
    const name = h("input", { id: "campaign-name", list: "campaign-names", required: true,
        pattern: "[a-zA-Z0-9][a-zA-Z0-9_\\-]*", maxlength: 63, autocomplete: "off",
        spellcheck: "false", autocapitalize: "off" });
    async function run(e) {
        e.preventDefault();
        const there = g.campaigns.find((c) => c.made && c.name === name.value);
        const body = { solutionVersionArn: arn(app, "solution", which.value),
            campaignConfig: { syncWithLatestSolutionVersion: which.value.endsWith("/$LATEST") } };
        try {
            if (there)
                await aws("UpdateCampaign", { campaignArn: arn(app, "campaign", name.value), ...body });
            else
                await aws("CreateCampaign", { name: name.value, ...body });
            await app.refresh();
        } catch (err) {
            fill(said, failed(err));
        }
    }
    const lines = h("div");
    const tell = () => fill(lines, commands("On the command line of AWS",
        line("aws", "--endpoint-url", location.origin, "personalize", "create-campaign", "--name",
            name.value || "NAME", "--solution-version-arn", arn(app, "solution", which.value),
            which.value.endsWith("$LATEST") ? ["--campaign-config",
                "syncWithLatestSolutionVersion=true"] : null)));
    name.addEventListener("input", tell);
    which.addEventListener("change", tell);
    tell();
    return [h("form", { on: { submit: run } }, h("div", { class: "fields" },
        field("Campaign: a new name or one of these", name, "grow"),
        h("datalist", { id: "campaign-names" }, g.campaigns.filter((c) => c.made)
            .map((c) => h("option", { value: c.name }))),
        field("Answers from", which, "grow"), h("button", { type: "submit" }, "Serve"))), lines];
}

// ---- training ----

// Asks how a training is doing until it has ended: that of a version or of a recommender.
async function follow(app, version, say) {
    const began = Date.now();
    for (;;) {
        const v = version.includes(":recommender/")
            ? (await aws("DescribeRecommender", { recommenderArn: version })).recommender
            : (await aws("DescribeSolutionVersion", { solutionVersionArn: version }))
                .solutionVersion;
        if (v.status === "ACTIVE" || v.status.includes("FAILED") || v.status.includes("STOPPED")) {
            running.delete(version);
            if (v.status !== "ACTIVE")
                throw new Error(v.failureReason || "The training was stopped.");
            return;
        }
        const said = v.status.replace("CREATE ", "").replace("_", " ").toLowerCase() + ", " +
            Math.round((Date.now() - began) / 1000) + " s";
        running.set(version, said);
        say(said);
        await new Promise((done) => setTimeout(done, 500));
    }
}

// Inputs for the hyperparameters of a recipe, with their defaults; values: what was typed, by
// the member of solutionConfig that it belongs to.
const PARAMS = ["algorithmHyperParameters", "featureTransformationParameters"];

function settings() {
    const fields = h("div", { class: "fields" });
    const box = h("details", { id: "settings" }, h("summary", null, "Hyperparameters"), fields);
    let shown = "";
    const input = (kind, changed) => ([name, standard]) => field(name, h("input", {
        "data-param": name, "data-kind": kind, placeholder: standard || "none", autocomplete: "off",
        spellcheck: "false", autocapitalize: "off", on: { input: changed } }));

    // recipe "": there is nothing to set.
    async function offer(recipe, changed) {
        box.hidden = !recipe;
        if (recipe === shown)
            return;
        shown = recipe;
        fill(fields);
        if (!recipe)
            return;
        try {
            const by = (await aws("DescribeRecipe",
                { recipeArn: "arn:aws:personalize:::recipe/" + recipe })).recipe;
            const { algorithm } = await aws("DescribeAlgorithm", { algorithmArn: by.algorithmArn });
            const features = (await aws("DescribeFeatureTransformation",
                { featureTransformationArn: by.featureTransformationArn })).featureTransformation;
            if (recipe === shown)
                fill(fields, [algorithm.defaultHyperParameters, features.defaultParameters]
                    .map((all, i) => Object.entries(all).map(input(PARAMS[i], changed))));
        } catch (e) {
            fill(fields, failed(e));
        }
    }
    function values() {
        const all = {};
        for (const i of fields.querySelectorAll("input"))
            if (i.value.trim() && !box.hidden)
                (all[i.dataset.kind] ||= {})[i.dataset.param] = i.value.trim();
        return all;
    }
    return { box, offer, values };
}

function train(app, list, state) {
    const g = app.group;
    const name = h("input", { id: "solution", required: true, maxlength: 63, autocomplete: "off",
        pattern: "[a-zA-Z0-9][a-zA-Z0-9_\\-]*", spellcheck: "false", autocapitalize: "off",
        list: "solutions", value: list.length ? "" : "personal" });
    const recipe = select({ id: "recipe" }, [["", "\u2026"]]);
    const said = h("div", { id: "training", role: "status" });
    const button = h("button", { class: "main", type: "submit" }, "Train");
    const lines = h("div");
    const cases = new Set(); // use cases of the group's domain, which become recommenders
    const known = () => list.find((v) => v.solution === name.value);
    const set = settings();

    function tell() {
        const v = known();
        recipe.disabled = !!v; // a solution keeps its recipe and what it was set to
        if (v && v.recipe)
            recipe.value = made_by(v);
        set.offer(v || cases.has(recipe.value) ? "" : recipe.value, tell);
        fill(lines, commands("On the command line",
            line("pz-train", "-g", g.path, "-r", recipe.value || "aws-user-personalization", "-S",
                name.value || "NAME", Object.values(set.values()).flatMap((all) =>
                    Object.entries(all).map(([k, x]) => ["-p", k + "=" + x]))),
            line("pz-train", "--list-recipes"), line("pz-info", "-g", g.path),
            line("pz-eval", "-g", g.path, "-r", [...new Set(["aws-popularity-count",
                recipe.value || "aws-user-personalization"])].join(","))));
    }
    const group = arn(app, "dataset-group", g.name);
    const option = (r) => h("option", { value: r.name,
        selected: r.name === "aws-user-personalization" }, r.name);
    async function offer() {
        const { recipes } = await aws("ListRecipes", { maxResults: 100 });
        const made = await aws("DescribeDatasetGroup", { datasetGroupArn: group });
        const domain = made.datasetGroup.domain ||
            g.datasets.map((d) => d.domain.toUpperCase().replaceAll("-", "_"))
                .find((d) => d !== "CUSTOM");
        const plain = recipes.filter((r) => !r.domain).map(option);
        if (!domain) {
            fill(recipe, plain);
            return;
        }
        const uses = (await aws("ListRecipes", { domain, maxResults: 100 })).recipes;
        uses.forEach((r) => cases.add(r.name));
        fill(recipe, h("optgroup", { label: "Recipes" }, plain),
            h("optgroup", { label: "Use cases of " + domain }, uses.map(option)));
    }
    offer().then(tell).catch((e) => fill(said, failed(e)));

    async function wait(version) {
        button.disabled = true;
        try {
            await follow(app, version, (text) => { said.textContent = "Training: " + text; });
            if (!state.gone)
                await app.refresh();
        } catch (e) {
            fill(said, failed(e));
        }
        button.disabled = false;
    }

    async function run(e) {
        e.preventDefault();
        fill(said);
        const by = "arn:aws:personalize:::recipe/" + recipe.value;
        try {
            if (cases.has(recipe.value) && !known()) {
                const r = await aws("CreateRecommender", { name: name.value, datasetGroupArn: group,
                    recipeArn: by });
                running.set(r.recommenderArn, "pending");
                wait(r.recommenderArn);
                return;
            }
            if (!known())
                await aws("CreateSolution", { name: name.value, datasetGroupArn: group,
                    recipeArn: by, solutionConfig: set.values() })
                    .catch((err) => {
                        if (err.name !== "ResourceAlreadyExistsException")
                            throw err;
                    });
            const v = await aws("CreateSolutionVersion",
                { solutionArn: arn(app, "solution", name.value) });
            running.set(v.solutionVersionArn, "pending");
            wait(v.solutionVersionArn);
        } catch (err) {
            fill(said, failed(err));
        }
    }
    name.addEventListener("input", tell);
    recipe.addEventListener("change", tell);
    tell();
    for (const version of running.keys())
        wait(version);
    return [h("form", { on: { submit: run } }, h("div", { class: "fields" },
        field("Solution: a new name or one of these", name, "grow"),
        h("datalist", { id: "solutions" }, [...new Set(list.map((v) => v.solution))]
            .map((s) => h("option", { value: s }))),
        field("Recipe", recipe, "grow"), button), set.box), said, lines];
}

export function models(root, app) {
    const g = app.group;
    const list = g.versions.filter((v) => !v.error);
    const state = { gone: false };
    const said = h("div", { role: "status" });
    const chosen = app.memory.chosen ||= new Set();
    const fresh = list.slice().sort((a, b) => b.version.localeCompare(a.version)).slice(0, SHOWN);
    if (!chosen.size || !fresh.some((v) => chosen.has(key(v))))
        fresh.forEach((v) => chosen.add(key(v)));
    else if (fresh.length)
        chosen.add(key(fresh[0])); // what was trained just now
    const charts = h("div");
    const draw = () => {
        const some = list.filter((v) => chosen.has(key(v)));
        fill(charts, some.length ? [compare(some), differences(some)]
            : note("", "Choose versions in the table."));
    };
    const table_of = h("div", null, campaigns(app, said, new Set()));
    aws("ListRecommenders", { datasetGroupArn: arn(app, "dataset-group", g.name), maxResults: 100 })
        .then((r) => {
            if (r.recommenders.length && !state.gone)
                fill(table_of, campaigns(app, said, new Set(r.recommenders.map((x) => x.name))));
        }).catch(() => {}); // the table stands without it
    add(root, h("h1", null, "Models"));
    if (g.versions.length) {
        draw();
        add(root, h("h2", null, "Versions beside each other"), charts,
            h("h2", null, "All versions"),
            table("Versions", [
                { name: "Solution", cell: (v) => v.solution },
                { name: "Compare", cell: (v) => v.error ? "" : h("input", {
                    type: "checkbox", checked: chosen.has(key(v)), "aria-label": "Compare " + key(v),
                    on: { change: (e) => {
                        chosen[e.target.checked ? "add" : "delete"](key(v));
                        draw();
                    } } }) },
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
    add(root, h("h2", null, "Train"), g.datasets.length ? train(app, list, state)
        : note("", "There are no datasets to learn from yet."));
    if (list.length)
        add(root, h("h2", null, "Campaigns"), table_of, serve(app, list, said), said);
    return () => { state.gone = true; };
}
